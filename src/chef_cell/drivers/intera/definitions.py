"""The messages of a Sawyer that a cell and its clients exchange, and those they contain.

Facts of Intera 5.3: names, types and order of the fields. The md5 sums that follow from them are
those of the robot's own messages; a test holds the table.
"""

from chef_cell.drivers.ros1.definitions import Definitions

_STANDARD = {
    'std_msgs/Header': 'uint32 seq\ntime stamp\nstring frame_id',
    'std_msgs/Bool': 'bool data',
    'std_msgs/Empty': '',
    'std_msgs/Float64': 'float64 data',
    'std_msgs/UInt16': 'uint16 data',
    'geometry_msgs/Point': 'float64 x\nfloat64 y\nfloat64 z',
    'geometry_msgs/Vector3': 'float64 x\nfloat64 y\nfloat64 z',
    'geometry_msgs/Quaternion': 'float64 x\nfloat64 y\nfloat64 z\nfloat64 w',
    'geometry_msgs/Pose': 'Point position\nQuaternion orientation',
    'geometry_msgs/PoseStamped': 'Header header\nPose pose',
    'geometry_msgs/Twist': 'Vector3 linear\nVector3 angular',
    'geometry_msgs/Wrench': 'Vector3 force\nVector3 torque',
    'sensor_msgs/JointState': """
        Header header
        string[] name
        float64[] position
        float64[] velocity
        float64[] effort""",
}

_ROBOT = {
    'intera_core_msgs/RobotAssemblyState': """
        bool homed
        bool ready
        bool enabled
        bool stopped
        bool error
        bool lowVoltage
        uint8 estop_button
        uint8 ESTOP_BUTTON_UNPRESSED=0
        uint8 ESTOP_BUTTON_PRESSED=1
        uint8 ESTOP_BUTTON_UNKNOWN=2
        uint8 ESTOP_BUTTON_RELEASED=3
        uint8 estop_source
        uint8 ESTOP_SOURCE_NONE=0
        uint8 ESTOP_SOURCE_USER=1
        uint8 ESTOP_SOURCE_UNKNOWN=2
        uint8 ESTOP_SOURCE_FAULT=3
        uint8 ESTOP_SOURCE_ENGINE=4""",
    'intera_core_msgs/JointLimits': """
        string[] joint_names
        float64[] position_lower
        float64[] position_upper
        float64[] velocity
        float64[] accel
        float64[] effort""",
    'intera_core_msgs/JointCommand': """
        Header header
        int32 mode
        string[] names
        float64[] position
        float64[] velocity
        float64[] acceleration
        float64[] effort
        int32 POSITION_MODE=1
        int32 VELOCITY_MODE=2
        int32 TORQUE_MODE=3
        int32 TRAJECTORY_MODE=4""",
    'intera_core_msgs/EndpointState': """
        Header header
        geometry_msgs/Pose pose
        geometry_msgs/Twist twist
        geometry_msgs/Wrench wrench
        bool valid""",
    'intera_core_msgs/EndpointStates': 'Header header\nstring[] names\nEndpointState[] states',
    'intera_core_msgs/CollisionDetectionState': 'Header header\nbool collision_state',
}

_IO = {
    'intera_core_msgs/IOStatus': """
        string tag
        string id
        string detail
        string DOWN=down
        string READY=ready
        string BUSY=busy
        string UNREADY=unready
        string ERROR=error""",
    'intera_core_msgs/IOComponentCommand': 'time time\nstring op\nstring args',
    'intera_core_msgs/IOComponentConfiguration': 'string name\nstring config',
    'intera_core_msgs/IOComponentStatus': 'string name\nIOStatus status',
    'intera_core_msgs/IODataStatus': 'string name\nstring format\nstring data\nIOStatus status',
    'intera_core_msgs/IODeviceConfiguration': """
        time time
        string commanded
        string upgraded
        IOComponentConfiguration device
        IOComponentConfiguration[] ports
        IOComponentConfiguration[] signals""",
    'intera_core_msgs/IODeviceStatus': """
        time time
        IOComponentStatus device
        IODataStatus[] ports
        IODataStatus[] signals
        time[] commands
        string[] responses""",
    'intera_core_msgs/IONodeConfiguration': """
        time time
        IOComponentConfiguration node
        IOComponentConfiguration[] devices
        IOComponentConfiguration[] plugins""",
    'intera_core_msgs/IONodeStatus': """
        time time
        IOComponentStatus node
        IOComponentStatus[] devices
        time[] commands""",
}

_SERVICES = {
    'intera_core_msgs/SolvePositionFK': """
        sensor_msgs/JointState[] configuration
        string[] tip_names
        ---
        geometry_msgs/PoseStamped[] pose_stamp
        bool[] isValid
        bool[] inCollision""",
    'intera_core_msgs/SolvePositionIK': """
        geometry_msgs/PoseStamped[] pose_stamp
        sensor_msgs/JointState[] seed_angles
        int8 SEED_AUTO=0
        int8 SEED_USER=1
        int8 SEED_CURRENT=2
        int8 SEED_NS_MAP=3
        int8 seed_mode
        bool[] use_nullspace_goal
        sensor_msgs/JointState[] nullspace_goal
        float64[] nullspace_gain
        string[] tip_names
        ---
        sensor_msgs/JointState[] joints
        int8 IK_FAILED=-1
        int8 IK_IN_COLLISION=-2
        int8 IK_ENDPOINT_DOES_NOT_EXIST=-3
        int8[] result_type""",
}

INTERA = Definitions({**_STANDARD, **_ROBOT, **_IO}, _SERVICES)
