"""ROS 2 nodes: thin shells that subscribe, translate, ask the pure core, and publish."""
