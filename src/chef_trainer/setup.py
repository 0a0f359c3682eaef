"""Package chef_trainer. The metadata is here, and not in pyproject.toml, for colcon."""

from setuptools import find_packages, setup

setup(
    name='chef_trainer',
    version='0.1.0',
    description='Offline trainer of the CHEF cell: episode files in, policy files out.',
    author='CHEF cell maintainers',
    author_email='maintainers@chef-cell.dev',
    license='Apache-2.0',
    python_requires='>=3.11',
    packages=find_packages(include=['chef_trainer*']),
    package_data={'chef_trainer.view': ['*.j2']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/chef_trainer']),
        ('share/chef_trainer', ['package.xml']),
    ],
    # The cell imports the file formats only, and they need no more than this.
    install_requires=['mcap', 'numpy'],
    extras_require={
        'train': [
            'gymnasium',
            'matplotlib',
            'onnx',
            'onnxruntime',
            'onnxscript',
            'pillow',
            'pyyaml',
            'rich',
            'safetensors',
            'scipy',
            'tensorboardX',
            'torch',
        ],
        # What `chef-data export` and `import` need, each for its format only.
        'exchange': ['av', 'minari[hdf5]', 'pillow', 'pyarrow', 'rosbags'],
        # What `chef-data view` draws with; rerun-sdk is for its option --rerun.
        'view': ['jinja2', 'matplotlib', 'pillow'],
        # `chef-data sync`; add s3fs for s3://, gcsfs for gs://, adlfs for az://.
        'remote': ['fsspec'],
        'test': ['hypothesis', 'pytest', 'pytest-timeout'],
    },
    entry_points={
        'console_scripts': [
            'chef-train = chef_trainer.cli:main',
            'chef-data = chef_trainer.data.cli:main',
        ]
    },
    zip_safe=False,
)
