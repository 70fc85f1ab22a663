"""The rules that the tests' cloud lays down for its networks, as text; tests/openstack holds them to what they do."""

from local.openstack.drivers.dtrove_cloud.rules import Desired, Port, Rule, render

SERVER = Port("aaaaaaaa-0000-4000-8000-000000000000", ("10.90.0.5", "10.90.0.9"), ("group",))
PEER = Port("bbbbbbbb-0000-4000-8000-000000000000", ("10.90.0.6", "10.90.0.9"), ("group",))
FREE = Port("cccccccc-0000-4000-8000-000000000000", ("10.90.0.7",), (), is_guarded=False)


def incoming(*rules: Rule) -> list[str]:
    text = render(Desired([SERVER, PEER], {"group": list(rules)}))
    body = text.partition("chain in_aaaaaaaa000040008000000000000000 {\n")[2].partition("\n    }")[0]
    return [line.strip() for line in body.splitlines()]


def test_without_a_rule_nobody_is_let_in() -> None:
    assert incoming() == ["drop"]


def test_a_rule_lets_in_whom_it_names() -> None:
    assert incoming(
        Rule("ingress", "tcp", 22, 22),
        Rule("ingress", "tcp", 5432, 5433, remote_prefix="198.51.100.0/24"),
        Rule("ingress", "icmp", 8),
        Rule("ingress", "udp"),
        Rule("egress"),
    ) == [
        "tcp dport 22-22 return",
        "ip saddr 198.51.100.0/24 tcp dport 5432-5433 return",
        "icmp type 8 return",
        "meta l4proto udp return",
        "drop",
    ]


def test_a_group_stands_for_the_addresses_of_its_members_and_an_empty_one_for_nobody() -> None:
    assert incoming(Rule("ingress", remote_group="group"), Rule("ingress", remote_group="empty")) == [
        "ip saddr { 10.90.0.5, 10.90.0.6, 10.90.0.9 } return",
        "drop",
    ]


def test_an_address_that_two_may_have_is_judged_once_and_sent_from_by_both() -> None:
    text = render(Desired([SERVER, PEER]))

    assert text.count("10.90.0.9 : jump in_") == 1
    assert text.count('"dopaaaaaaaa-00" . 10.90.0.9') == text.count('"dopbbbbbbbb-00" . 10.90.0.9') == 1


def test_a_port_without_security_is_let_through() -> None:
    text = render(Desired([FREE]))

    assert 'set unguarded { type ifname; elements = { "dopcccccccc-00" }; }' in text
    assert "10.90.0.7 : jump" not in text


def test_a_floating_address_leads_in_and_out_and_a_network_has_one_outside() -> None:
    text = render(Desired(routed=[("10.90.0.0/24", "203.0.113.7")], floating=[("203.0.113.9", "10.90.0.5")]))

    assert "map floating { type ipv4_addr : ipv4_addr; elements = { 203.0.113.9 : 10.90.0.5 }; }" in text
    assert "map fixed { type ipv4_addr : ipv4_addr; elements = { 10.90.0.5 : 203.0.113.9 }; }" in text
    assert 'oifname "doext" ip saddr 10.90.0.0/24 snat to 203.0.113.7' in text
