"""Files that were made to do harm, and the program in a process that watches what they do."""
