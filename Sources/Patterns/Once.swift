import LocatedYAML
import VigilModel

/// Which records of a log that tells of one thing again and again are one event: the first of them.
public enum Once: Sendable {
    /// Those of one connection, or one run of a command, within seconds.
    case connection(Part)
    /// Those within that many milliseconds under one name, which patterns can share, and with the same content in those
    /// columns.
    case span(milliseconds: Int64, name: String, columns: [LogColumn])

    /// Where in a connection a record stands.
    public enum Part: String, CaseIterable, Sendable {
        /// Anywhere: with others it is one event.
        case any = "connection"
        /// At the beginning of what it tells of: always an event, to which later records belong.
        case first = "connection_begin"
        /// At its end: what follows is of another one.
        case last = "connection_end"
    }

    /// Reads `connection`, `connection_begin`, `connection_end`, or a mapping with `within`, `as` and `by`.
    init(_ value: YAMLValue, id: String) throws(YAMLProblem) {
        guard value.isMapping else {
            self = .connection(try value.word(Part.self))
            return
        }
        let keys = try value.mapping(["within", "as", "by"])
        guard let within = keys["within"] else { throw value.problem("the key 'within' is missing") }
        let length = try within.duration()
        guard length <= 3_600_000 else {
            throw within.problem("at most an hour", hint: "so much of a log is read again after a restart")
        }
        var columns: [LogColumn] = []
        for name in try keys["by"]?.oneOrMore() ?? [] {
            guard let column = PatternReader.columns[try name.text()] else {
                throw PatternReader.unknownColumn(try name.text(), name)
            }
            columns.append(column)
        }
        self = .span(milliseconds: length, name: try keys["as"]?.text() ?? id, columns: columns)
    }
}
