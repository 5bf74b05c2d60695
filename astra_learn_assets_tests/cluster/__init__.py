"""A real Kubernetes control plane for the tests, and the learning path on it.

etcd, kube-apiserver, kube-scheduler and kube-controller-manager are the real programs (``deploy/cluster``);
only the kubelet is ours: an agent a node runs each bound pod's command as a local process in a mount and
process namespace of its own. ``make cluster-test`` builds the programs once and runs the tests marked
``cluster``. Only ``learning.py`` knows ``astra_learn_assets``; the rest knows Kubernetes alone.
"""
