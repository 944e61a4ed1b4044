import Foundation
import Properties

// fuzz PROPERTY [-libfuzzer-option…] [FOLDER…]     searches for an input that breaks a property
// fuzz --seeds FOLDER                              writes inputs to begin with, a folder for each property

/// libFuzzer without a `main` of its own (llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library").
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

nonisolated(unsafe) var property = Property.records

func writeSeeds(into folder: String) throws {
    for property in Property.allCases {
        let place = URL(fileURLWithPath: folder).appending(path: property.rawValue)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (number, seed) in property.seeds.enumerated() {
            try Data(seed).write(to: place.appending(path: "seed-\(number)"))
        }
    }
}

let words = CommandLine.arguments
if words.count == 3, words[1] == "--seeds" {
    try writeSeeds(into: words[2])
    exit(0)
}
guard words.count > 1, let wanted = Property(rawValue: words[1]) else {
    let known = Property.allCases.map(\.rawValue).joined(separator: ", ")
    FileHandle.standardError.write(Data("fuzz PROPERTY [OPTION…] [FOLDER…]; properties: \(known)\n".utf8))
    exit(64)
}
property = wanted
let rest = [words[0]] + words.dropFirst(2)
let strings = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: rest.count + 1)
for (number, word) in rest.enumerated() { strings[number] = strdup(word) }
strings[rest.count] = nil
var count = CInt(rest.count)
var arguments = strings
exit(
    runFuzzer(&count, &arguments) { bytes, count in
        if let problem = property.problem(with: Array(UnsafeBufferPointer(start: bytes, count: count))) {
            fatalError("\(property): \(problem)")
        }
        return 0
    })
