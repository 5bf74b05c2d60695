"""What is under ``deploy/``: rendered, validated, linted and refused; no cluster (deploy/cluster has one)."""
