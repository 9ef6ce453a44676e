"""The documents that a stack deploys: pure functions from frozen inputs to data, without Pulumi and without I/O."""
