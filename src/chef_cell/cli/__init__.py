"""The `chef` command: start a cell without `ros2 launch`, watch a session, show what came out."""
