"""Software on this machine: what the policy asks for, its content, the run under the right identity, what is told."""
