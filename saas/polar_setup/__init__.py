"""Set up an organisation at Polar, and find out what is wrong with it. Only the commands use this."""
