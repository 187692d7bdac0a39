"""The self-check: takes each part that the bot rests on in turn, and says what is wrong and what mends it."""
