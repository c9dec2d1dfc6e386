"""From an arrangement to finished audio: instruments, mix, master, files, and the measuring of all of them."""
