/// The facts of one SQL statement, read from its text alone.
///
/// Nothing here has been checked against a catalogue: the server may refuse the statement, and a name may mean
/// something else under another `search_path`. All text comes from a client and is to be treated as hostile.
public struct SQLStatement: Sendable, Equatable {
    /// Where the statement stands in the text, in bytes, without leading and trailing blanks, comments and `;`.
    public var range: Range<Int>

    /// The command tag of the statement as PostgreSQL has it after analysis: `CREATE TABLE`, `GRANT ROLE`, …
    ///
    /// Source: `src/include/tcop/cmdtaglist.h` and the pages of manual part VI "SQL Commands". After analysis means
    /// that `SELECT … INTO` is `SELECT INTO` and `SELECT … FOR UPDATE` is `SELECT FOR UPDATE`, where the log's
    /// command tag column has `SELECT`. Commands to a replication connection stand under their own first word,
    /// `BASE_BACKUP` (manual "Streaming Replication Protocol"). Empty when PostgreSQL knows no such statement.
    public var command: String

    /// What kind of object the statement is about, in lower case words: `table`, `role`, `parameter`, …
    ///
    /// Source: the object words of the manual's part VI "SQL Commands". `nil` when there is none.
    public var objectType: String?

    /// The first object named, `schema.name` when qualified.
    ///
    /// Unquoted identifiers are folded to lower case (ASCII), quoted ones are given as they are, without their
    /// quotes (manual 4.1.1 "Identifiers and Key Words"). Parameter names are always folded, as the server compares
    /// them without regard to case (manual "Parameter Names and Values"). Each part is cut to 256 bytes.
    public var objectName: String?

    /// The role that the statement is about: the role created, altered, dropped or assumed, the grantee, the new
    /// owner. The first one when there are several; `public`, `current_user` and the like as they stand.
    ///
    /// Source: manual pages GRANT, REVOKE, CREATE ROLE, ALTER ROLE, SET ROLE, SET SESSION AUTHORIZATION, ALTER TABLE.
    public var targetRole: String?

    /// The text that the statement stands in, and its tokens without comments.
    private(set) var text: [UInt8]
    let tokens: [SQLToken]
    /// Nothing but an empty `--` follows: what a program would have put behind the statement is cut off.
    let isCutOff: Bool

    /// A normal form for matching patterns, at most 4096 bytes.
    ///
    /// Key words and unquoted identifiers are in upper case (ASCII); every string constant is `'?'`, quotes included, of
    /// whatever kind; quoted identifiers stay `"name"` with doubled quotes; numbers, parameters and operators stay; comments
    /// are gone. One space stands between tokens, none around `.` `(` `)` `,` (manual 4.1 "Lexical Structure").
    ///
    /// A constant that stands for a name, as the first argument of `set_config` and the word behind LANGUAGE do, is
    /// written as a quoted identifier. An empty `--` that ends the text stays.
    public var shape: String { String(decoding: shapeBytes, as: UTF8.self) }

    /// The normal form as bytes.
    var shapeBytes: [UInt8] { SQLShape.make(of: tokens, in: text, isCutOff: isCutOff) }

    /// Takes the statement's place, what was read of it, and its tokens.
    init(range: Range<Int>, facts: SQLFacts, text: [UInt8], tokens: [SQLToken], isCutOff: Bool = false) {
        self.range = range
        command = facts.command
        objectType = facts.objectType
        objectName = facts.objectName
        targetRole = facts.targetRole
        self.text = text
        self.tokens = tokens
        self.isCutOff = isCutOff
    }
    /// The same in another text that has the same tokens at the same places.
    func moved(to text: [UInt8]) -> SQLStatement {
        var statement = self
        statement.text = text
        return statement
    }
}
