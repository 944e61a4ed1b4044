import Foundation
import VigilModel

@testable import Patterns

/// A catalogue of few rules, each of which shows something that an export must cope with.
enum Fixture {
    static let now = LogTime(milliseconds: 1_780_000_000_000)

    static func catalogue(_ rules: [String], sets: [String: [String]] = [:]) throws -> Catalogue {
        let files = rules.enumerated().map { ("rules/r\($0.offset).yml", $0.element + Fixture.examples) }
        return try Catalogue(files: Fixture.files + files, sets: sets)
    }

    static func golden(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")
        return try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    static let bruteforce = """
        id: x-bruteforce
        name: "Many failures: one 'address'"
        description: Guessing.
        family: auth
        severity: high
        match: {event.action: auth.failure, event.reason: [bad_password, unknown_role], network: public}
        group_by: source.ip
        condition: {threshold: {count: 10, within: 10m}}
        suppress: 1h
        message: "{count} failures from {source.ip}[ as {user.name}] in {span}"
        attack: [T1110.001]
        false_positives: [an office, "a 'quoted' name: yes"]

        """
    static let spray = """
        id: x-spray
        name: Many users
        description: Spraying.
        family: auth
        severity: medium
        match: {event.action: auth.failure, user.name: {not: {set: known}}, network: [private, loopback]}
        except:
          - {user.name: {regex: '^mon(itor)?$'}, source.ip: {cidr: [192.0.2.0/24, "2001:db8::/32"]}, reason: ours}
        group_by: [source.ip, service.name]
        condition: {distinct: {key: user.name, count: 5, within: 2h}}
        suppress: 1h
        message: "{distinct} users from {source.ip}"

        """
    static let denied = """
        id: x-denied
        name: A refusal
        description: |-
          Two
          lines.
        family: perm
        severity: critical
        match: {tags: perm.denied, not: {user.name: {set: known}}}
        group_by: [user.name, source.address]
        suppress: 1h
        message: "{user.name}[ from {source.address}] was refused[: {db.query.text}]"

        """
    static let dropped = """
        id: x-dropped
        name: Something was dropped
        description: By a statement.
        family: ddl
        severity: low
        match: {tags: ddl.*, db.query.text: {regex: '(?i)\\bCASCADE\\s*;?\\s*$'}}
        suppress: 1h

        """
    static let after = """
        id: x-after
        name: A login after failures
        description: In this order.
        family: auth
        severity: high
        match: {event.action: auth.failure}
        group_by: [source.address, user.name]
        condition: {sequence: {count: 5, within: 1h, then: {event.action: auth.success}}}
        suppress: 1h

        """
    static let silent = """
        id: x-silent
        name: Silence
        description: Nobody comes.
        family: auth
        severity: low
        match: {event.action: auth.success}
        condition: {absence: {for: 26h}}
        suppress: 1d

        """
    static let all = [bruteforce, spray, denied, dropped, after, silent]

    private static let examples = """
        examples:
          - {name: one, events: [{event.action: auth.failure}], alerts: 1}
          - {name: none, events: [{event.action: auth.failure}], alerts: 0}
        """

    private static let files = [
        (
            "messages/m.yml",
            """
            severity_fatal: ["FATAL", "FATALE"]
            severity_error: ["ERROR"]
            severity_log: ["LOG"]
            password_failed: ['password authentication failed for user "%s"']
            role_unknown: ['Role "%s" does not exist.']
            authorized: ['connection authorized: user=%s']
            """
        ),
        (
            "events/e.yml",
            """
            about: x
            patterns:
              - id: e-expired
                description: Expired.
                when: {severity: FATAL, sqlstate: 28P01, command_tag: authentication, matches: {detail: 'has expired\\.$'}}
                event: {category: authentication, action: auth.failure, outcome: failure, reason: expired_password, severity: low}
              - id: e-unknown
                description: Unknown.
                when: {severity: FATAL, sqlstate: 28P01, command_tag: [authentication, startup], detail_about_user: role_unknown}
                event: {category: authentication, action: auth.failure, outcome: failure, reason: unknown_role, severity: low}
              - id: e-password
                description: Wrong.
                when: {severity: FATAL, sqlstate: 28P01, command_tag: [authentication, startup]}
                event: {category: authentication, action: auth.failure, outcome: failure, reason: bad_password, severity: low}
              - id: e-login
                description: In.
                when: {severity: LOG, sqlstate: "00000", message: authorized}
                login: {category: authentication, action: auth.success, outcome: success, severity: info}
              - id: e-denied
                description: Denied.
                when:
                  severity: ERROR
                  sqlstate: "42501"
                  backend_type: client backend
                  matches: {context: '^(?![^\\n]*\\bRAISE\\b)'}
                event: {category: iam, action: perm.denied, outcome: failure, severity: low}
            statements:
              - id: e-drop
                description: Dropped.
                command: DROP *
                event: {category: database, action: ddl.drop, severity: low}
            """
        ),
        (
            "sets/s.yml",
            "known:\n  about: x\n  members: ['app\"1', \"line\\nfeed\"]\nnobody:\n  about: x\n  members: []\n"
        ),
        (
            "frameworks/attack.yml",
            "key: attack\nname: MITRE\nversion: \"1\"\nsource: x\nentries: {T1110.001: Guessing}\n"
        ),
    ]
}
