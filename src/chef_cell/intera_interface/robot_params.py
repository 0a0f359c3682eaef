"""The robot's constants, which the vendor's package reads from the ROS 1 parameter server."""

from typing import Any

from chef_cell.drivers.intera.interface import PARAMETERS


class RobotParams:
    """Names of the robot and its parts."""

    def get_camera_names(self) -> list[str]:
        """Return the names of the robot's own cameras."""
        return list(self.get_camera_details())

    def get_camera_details(self) -> dict[str, Any]:
        """Return the robot's own cameras; a cell's cameras are ROS 2 topics."""
        return dict(PARAMETERS['/robot_config/camera_config'])

    def get_limb_names(self) -> list[str]:
        """Return the names of the limbs."""
        return [name for name in self.get_robot_assemblies() if name not in ('torso', 'head')]

    def get_robot_assemblies(self) -> list[str]:
        """Return the names of the robot's parts."""
        return list(PARAMETERS['/robot_config/assembly_names'])

    def get_joint_names(self, limb_name: str) -> list[str]:
        """Return the joints of a limb from shoulder to wrist; none for an unknown limb."""
        return list(PARAMETERS.get(f'/robot_config/{limb_name}_config/joint_names', ()))

    def get_robot_name(self) -> str:
        """Return the class of the robot."""
        return str(PARAMETERS['/manifest/robot_class'])
