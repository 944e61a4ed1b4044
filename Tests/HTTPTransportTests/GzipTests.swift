import Codecs
import Testing

@Suite("Packed bodies")
struct PackedBodyTests {
    @Test("come back as they were", arguments: [0, 1, 1000, 300_000])
    func whole(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0) }
        let packed = try #require(GzipEncoder.pack(bytes))
        #expect(try Compression.gzip.unpack(packed, limit: count) == bytes)
    }

    @Test("that unpack to more than allowed, or are torn, are refused")
    func refused() throws {
        let packed = try #require(GzipEncoder.pack([UInt8](repeating: 0, count: 5_000_000)))
        #expect(throws: BodyProblem.tooLarge) { try Compression.gzip.unpack(packed, limit: 4_999_999) }
        #expect(throws: BodyProblem.self) { try Compression.gzip.unpack(Array(packed.dropLast(9)), limit: 5_000_000) }
        #expect(throws: BodyProblem.self) { try Compression.gzip.unpack(Array("plain text".utf8), limit: 5_000_000) }
    }
}
