import Foundation
import LocatedYAML
import Testing

@testable import Vigil

@Suite("Topology")
struct TopologyTests {
    private static let files: [(String, String, Set<String>)] = [
        (
            "/etc/patroni/patroni.yml",
            """
            scope: pg-test
            restapi: {listen: '0.0.0.0:8008', connect_address: 10.10.10.11:8008}
            etcd3: {hosts: '10.10.10.10:2379,10.10.10.20:2379'}
            postgresql:
              connect_address: "[2001:db8::11]:5432"
              listen: 10.10.10.11,127.0.0.1:5432
              pg_hba:
                - host replication replicator 10.10.10.12/32 scram-sha-256
                - host all all 192.0.2.1/32 scram-sha-256
                - host replication replicator 10.0.0.0/8 scram-sha-256

            """, ["10.10.10.11", "10.10.10.10", "10.10.10.20", "2001:db8::11", "10.10.10.12"]
        ),
        (
            "/etc/pgbouncer/pgbouncer.ini",
            """
            [databases]
            shop = host=10.10.11.1 port=5432 dbname=shop
            ;old = host=10.10.11.9
            near = host=/var/run/postgresql
            [pgbouncer]
            listen_addr = 10.10.11.2, *

            """, ["10.10.11.1", "10.10.11.2"]
        ),
        (
            "/etc/haproxy/conf.d/pg.cfg",
            """
            listen pg
                bind *:5433
                bind 10.10.12.9:5434
                # server old 10.10.12.8:5432
                server pg-1 10.10.12.1:6432 check port 8008 source 10.10.12.5
                server pg-2 db2.example:6432 check

            """, ["10.10.12.1", "10.10.12.5", "10.10.12.9", "10.10.12.2"]
        ),
        (
            "/etc/postgresql/15/main/postgresql.auto.conf",
            "primary_conninfo = 'user=replicator host=10.10.13.1 port=5432'\nlisten_addresses = '10.10.13.2,localhost'\n",
            ["10.10.13.1", "10.10.13.2"]
        ),
        (
            "/pg/data/pg_hba.conf",
            """
            local replication postgres peer
            hostssl replication replicator 10.10.14.1/32 scram-sha-256
            host postgres,replication replicator 10.10.14.2 255.255.255.255 md5
            host replication replicator 10.10.14.3 255.255.255.0 md5
            host replication all 0.0.0.0/0 md5
            host all all 10.10.14.4/32 md5
            host replication all 203.0.113.66/32 reject
            host replication all 203.0.113.67 255.255.255.255 reject

            """, ["10.10.14.1", "10.10.14.2"]
        ),
        (
            "/root/pigsty.yml",
            """
            all:
              vars: {admin_ip: 10.10.15.10}
              children:
                pg-test:
                  hosts:
                    10.10.15.11: {pg_seq: 1, pg_role: primary}
                    10.10.15.12: {pg_seq: 2, pg_role: replica}
                  vars: {pg_vip_address: 10.10.15.3/24, pg_hba_rules: [{addr: 203.0.113.0/24}]}

            """, ["10.10.15.10", "10.10.15.11", "10.10.15.12", "10.10.15.3"]
        ),
    ]

    @Test(
        "single hosts that the files of a node name are the fleet's; networks and other hosts are not", arguments: files
    )
    func named(path: String, text: String, hosts: Set<String>) throws {
        let place = try Workplace()
        func write(_ path: String, _ text: String) throws {
            let file = URL(fileURLWithPath: place.path("root") + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try write(path, text)
        try write("/etc/hosts", "127.0.0.1 localhost\n10.10.12.2 db2 db2.example # the second\n")
        var topology = Topology()
        if path.hasSuffix("pigsty.yml") { topology.files = [(.pigsty, place.path("root") + path)] }
        let named = topology.entries(root: place.path("root")).filter { $0.reason == "named in \(path)" }
        #expect(Set(named.map(\.cidr.address.description)) == hosts)
    }

    @Test("a file that shall be read and cannot be is an error; the key's mistakes are told")
    func mistakes() throws {
        let place = try Workplace()
        for (text, words) in [
            ("topology: {pigsty: /nowhere/pigsty.yml}\n", "cannot be read"),
            ("topology: {hap: x}\n", "unknown key 'hap'"),
            ("blocklists: [{format: nftables, path: /x}]\n", "'nftables' is not one of"),
            ("blocklists: [{format: nft, path: x}]\n", "an absolute path belongs here"),
            ("blocklists: [{format: nft, path: /x, reload: nft -f /x}]\n", "by its absolute path"),
            ("bans: {ports: [0]}\n", "no TCP port"),
        ] {
            let path = place.path("c.yml")
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect {
                try Configuration.load(path)
            } throws: {
                "\($0)".contains(words)
            }
        }
    }

    @Test("this machine's own addresses are found, loopback not among them")
    func own() throws {
        #expect(OwnAddresses.entries().allSatisfy { !$0.cidr.address.isLoopback && $0.cidr.isHost })
    }

    @Test(
        "a configured file that is no YAML is refused, not passed over", arguments: ["all: {hosts: [", "a: 1\na: 2\n"])
    func unsound(text: String) throws {
        let place = try Workplace()
        let path = place.path("pigsty.yml")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: YAMLProblem.self) {
            try Topology(YAMLValue(text: "{pigsty: \(path)}", file: "c.yml"))
        }
    }
}
