# The robot side beside a ROS 2 distribution. Build from the root of the repository:
#   docker build -f docker/cell.Dockerfile -t chef-cell .
FROM ros:jazzy-ros-base

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /chef
COPY . .

# rosdep knows what package.xml names; chef_trainer is in this tree.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libosmesa6 python3-pip \
    && rosdep update --rosdistro jazzy \
    && rosdep install -y --from-paths . src --ignore-src \
    && rm -rf /var/lib/apt/lists/*

# What rosdep does not know, in the versions that the tests run with. Debian's own copies
# of some of them have no record of their files: install beside them.
RUN pip install --no-cache-dir --break-system-packages --ignore-installed --no-deps \
    -r config/locks/cell.txt -r config/locks/devices.txt

RUN source /opt/ros/jazzy/setup.bash && colcon build --base-paths . src

ENV FASTRTPS_DEFAULT_PROFILES_FILE=/chef/config/fastdds.xml \
    FASTDDS_DEFAULT_PROFILES_FILE=/chef/config/fastdds.xml \
    ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST \
    MUJOCO_GL=osmesa

COPY docker/entrypoint.sh /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "chef_cell", "session.launch.py"]
