# The trainer. Build from the root of the repository:
#   docker build -f docker/trainer.Dockerfile -t chef-trainer .
# The torch wheel brings its own CUDA: the host gives the driver and the container toolkit.
FROM python:3.12-slim-bookworm

WORKDIR /chef

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri libosmesa6 \
    && rm -rf /var/lib/apt/lists/*

# Before the sources, so that a change of code does not install torch again.
COPY config/locks/trainer.txt config/locks/trainer.txt
RUN pip install --no-cache-dir --no-deps -r config/locks/trainer.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e src/chef_trainer -e .

ENV MUJOCO_GL=egl
ENTRYPOINT ["chef-train"]
