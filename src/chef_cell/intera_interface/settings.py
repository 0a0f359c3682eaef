"""Constants of the interface."""

#: rad, how near a joint counts as arrived.
JOINT_ANGLE_TOLERANCE = 0.008726646
HEAD_PAN_ANGLE_TOLERANCE = 0.1
SDK_VERSION = '5.3.0'
CHECK_VERSION = True
#: Version of the interface -> versions of the robot's software that it fits.
VERSIONS_SDK2ROBOT = {'5.3.0': ['5.3.0', '5.3.1', '5.3.2']}
