"""What an argument must be, and the sentence that says so where it is something else: what, where, how to mend it."""
