"""The files that make packages, images and DDS work where no test can build them."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGES = {
    '.': 'ament_python',
    'src/chef_trainer': 'ament_python',
    'src/chef_interfaces': 'ament_cmake',
    'src/intera_core_msgs': 'ament_cmake',
}


def package_xml(folder: str) -> ElementTree.Element:
    return ElementTree.parse(ROOT / folder / 'package.xml').getroot()


@pytest.mark.parametrize('folder', PACKAGES)
def test_package_xml_keeps_its_build_type(folder):
    # An ill-formed maintainer e-mail makes colcon fall back to a plain build, silently.
    package = package_xml(folder)
    assert package.findtext('export/build_type') == PACKAGES[folder]
    assert re.fullmatch(r'[\w.-]+@[\w-]+\.[\w.-]+', package.find('maintainer').get('email'))
    assert package.findtext('license') == 'Apache-2.0'


def test_package_xml_names_every_ros_package_that_the_cell_imports():
    declared = {element.text for element in package_xml('.') if element.tag.endswith('depend')}
    imported = set()
    for folder in ('src/chef_cell', 'launch'):
        for path in (ROOT / folder).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(node.module)
    ros = re.compile(r'\w+_(msgs|interfaces|srvs|ros|coordinator|python)|launch|rclpy')
    names = {name.partition('.')[0] for name in imported}
    assert {name for name in names if ros.fullmatch(name)} <= declared


def test_every_package_has_the_same_version():
    versions = {package_xml(folder).findtext('version') for folder in PACKAGES}
    for setup in ('setup.py', 'src/chef_trainer/setup.py'):
        versions |= set(re.findall(r"version='([^']+)'", (ROOT / setup).read_text()))
    assert len(versions) == 1


def test_locks_name_exact_versions_and_no_package_twice():
    names = []
    for lock in ('ros', 'cell', 'dev'):
        for line in (ROOT / f'config/locks/{lock}.txt').read_text().splitlines()[1:]:
            assert re.fullmatch(r'[a-z0-9.-]+==[\w.+]+', line)
            names.append(line.partition('==')[0])
    assert len(names) == len(set(names))


@pytest.mark.parametrize('name', ['torch', 'tensorflow', 'jax', 'jaxlib', 'dm-control'])
def test_the_cell_stays_small(name):
    for lock in ('ros', 'cell'):
        assert f'\n{name}==' not in (ROOT / f'config/locks/{lock}.txt').read_text()


def test_a_camera_frame_fits_into_shared_memory():
    profiles = ElementTree.parse(ROOT / 'config/fastdds.xml').getroot()
    (size,) = profiles.iter('{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}segment_size')
    assert int(size.text) >= 32 * 640 * 480 * 3


def test_compose_builds_images_that_exist():
    compose = yaml.safe_load((ROOT / 'docker/compose.yaml').read_text())
    for service in compose['services'].values():
        assert (ROOT / service['build']['dockerfile']).is_file()
