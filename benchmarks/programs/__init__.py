"""What the measures start, each as a process of its own: sinks, peers, and parts of ours."""
