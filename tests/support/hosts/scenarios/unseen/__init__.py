"""Scenarios of what no rule and no route shows: programs in the kernel, queues, policies, states of processes and sockets."""
