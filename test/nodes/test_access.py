"""The SROS2 policy: it allows what the real nodes do, and to whom it must not it denies."""

import fnmatch
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from chef_cell.cli.paths import config_folder
from chef_cell.graph import CAMERAS, CellSettings, nodes, parameter_file
from chef_cell.testing.ros_harness import Graph

FOLDER = config_folder() / 'sros2'
INCLUDE = '{http://www.w3.org/2001/XInclude}include'
JOINT_COMMAND = '/robot/limb/right/joint_command'
#: What a client of the graph asks -> the permission that it needs.
QUERIES = {
    'publish': 'get_publisher_names_and_types_by_node',
    'subscribe': 'get_subscriber_names_and_types_by_node',
    'reply': 'get_service_names_and_types_by_node',
    'request': 'get_client_names_and_types_by_node',
}


def rules(profile: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The rules of a profile, with those of the files it includes."""
    for element in profile:
        if element.tag == INCLUDE:
            yield from rules(ElementTree.parse(FOLDER / element.attrib['href']).getroot())
        else:
            yield element


def allowed() -> dict[str, dict[str, list[str]]]:
    """Enclave -> permission -> absolute names, which may hold a *."""
    found: dict[str, dict[str, list[str]]] = {}
    for enclave in ElementTree.parse(FOLDER / 'policy.xml').iter('enclave'):
        granted = found[enclave.attrib['path']] = {}
        for profile in enclave.iter('profile'):
            namespace, node = profile.attrib['ns'], profile.attrib['node']
            for rule in rules(profile):
                names = [str(item.text) for item in rule]
                names = [name.replace('~', f'{namespace}/{node}') for name in names]
                names = [name if name[0] == '/' else f'{namespace}/{name}' for name in names]
                for permission, word in rule.attrib.items():
                    assert word == 'ALLOW'
                    granted.setdefault(permission, []).extend(names)
    return found


def who_may(permission: str, name: str) -> set[str]:
    return {
        enclave
        for enclave, granted in allowed().items()
        if any(fnmatch.fnmatchcase(name, rule) for rule in granted.get(permission, ()))
    }


def test_only_the_controller_commands_the_joints_and_only_the_operator_rearms():
    assert who_may('publish', JOINT_COMMAND) == {'/cell/controller'}
    assert who_may('publish', '/cell/gripper/command') == {'/cell/controller'}
    assert who_may('request', '/cell/safety/rearm') == {'/cell/operator'}
    assert who_may('reply', '/cell/safety/rearm') == {'/cell/safety'}
    assert who_may('publish', '/cell/safety') == {'/cell/safety'}
    assert who_may('publish', '/cell/command') == {'/cell/policy', '/cell/teleop'}
    assert who_may('publish', '/cell/reset/command') == {'/cell/reset'}
    assert who_may('publish', '/cell/wrist/wrench') == {'/cell/wrist'}
    assert who_may('publish', '/robot/set_super_enable') == {'/cell/operator'}


@pytest.fixture(scope='module')
def doings(tmp_path_factory):
    """Enclave -> permission -> what the nodes of a running cell do."""
    folder = tmp_path_factory.mktemp('cell')
    settings = CellSettings(cameras=CAMERAS[:1], directory=str(folder), reset='scripted')
    specs = nodes(settings, config_folder())
    found: dict[str, dict[str, set[str]]] = {spec.enclave: {} for spec in specs}
    with Graph.open() as graph:
        for spec in specs:
            file = folder / f'{spec.name}.yaml'
            file.write_text(parameter_file(spec))
            graph.start(spec.name, arguments=('--params-file', file, '--enclave', spec.enclave))
        names = {spec.name for spec in specs}

        def connected():
            """Whether every node knows all others."""
            topic = '/cell/connected'
            ends = graph.probe.get_publishers_info_by_topic(topic)
            return {end.node_name for end in ends} >= names

        graph.wait_for(connected, 'the cell', deadline=60.0)
        for spec in specs:
            for permission, query in QUERIES.items():
                done = getattr(graph.probe, query)(spec.name, spec.namespace)
                found[spec.enclave][permission] = {name for name, _ in done}
    return found


def test_the_policy_allows_what_the_nodes_of_a_cell_do(doings):
    granted = allowed()
    missing = [
        f'{enclave} may not {permission} {name}'
        for enclave, done in doings.items()
        for permission, names in done.items()
        for name in sorted(names)
        if '/_action/' not in name
        and not any(fnmatch.fnmatchcase(name, rule) for rule in granted[enclave][permission])
    ]
    assert not missing, '\n'.join(missing)


def test_the_policy_speaks_of_every_node_that_a_cell_may_have():
    every = nodes(CellSettings(cameras=CAMERAS), config_folder())
    every += nodes(CellSettings(teleop='keyboard', view=0), config_folder())
    every += nodes(CellSettings(cell='real', lockstep=False, cameras=CAMERAS), config_folder())
    assert {spec.enclave for spec in every} <= set(allowed())


def test_what_must_be_secure_does_not_run_without_security(tmp_path):
    """No keys, or a middleware without DDS Security, as the ROS wheels': nothing starts."""
    security = {
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': str(tmp_path),
    }
    (tmp_path / 'enclaves').mkdir()
    with Graph.open() as graph:
        graph.environment.update(security)
        node = graph.start('safety', arguments=('--enclave', '/cell/safety'))
        graph.wait_for(lambda: not node.alive, 'its end')
        assert node.process.returncode == 1
        assert 'security' in node.output()
