"""What is in force, and how every process of the gate knows it before it admits the next message."""
