"""What everything speaks of: names, commands, jobs and outcomes. Imports nothing else of the bot."""
