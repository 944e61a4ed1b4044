import VigilModel

/// `203.0.113.66/32`, a line each: for HAProxy's `src -f`, and for whatever takes CIDR notation.
enum PlainList {
    static func render(_ bans: [Ban]) -> String { bans.map { "\($0.cidr)\n" }.joined() }
}
