"""ROS 1 as it goes over the wire: messages, topics, services, parameters and the master.

Only the standard library is needed; no ROS 1 installation. Sources: the ROS wiki's pages
Master_API, Slave_API, Parameter Server API, TCPROS and Connection Header (wiki.ros.org/ROS).
"""
