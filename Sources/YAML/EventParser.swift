internal import CLibYAML

/// What libyaml reports next.
struct Event {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
        case alias(String)
        case scalar(text: String, style: YAMLScalar.Style, isImplicit: Bool, Properties)
        case sequenceStart(Properties)
        case mappingStart(Properties)
    }

    /// What stands before a node.
    struct Properties {
        var anchor: String?
        var tag: String?
    }

    var kind: Kind
    var start: YAMLMark
    var end: YAMLMark
}

/// Owns a libyaml parser and the bytes that it reads.
@safe struct EventParser: ~Copyable {
    // On the heap, because libyaml keeps a pointer to the parser in the parser.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter document: at least one byte.
    init(_ document: [UInt8]) throws(YAMLError) {
        unsafe parser = .allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            throw YAMLError(.limit, "out of memory", at: .start)
        }
        unsafe bytes = .allocate(capacity: document.count)
        _ = unsafe bytes.initialize(from: document)
        unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe bytes.deallocate()
    }

    /// - Throws: `YAMLError` where libyaml refuses the document. Call it no more then, nor after the stream's end.
    mutating func next() throws(YAMLError) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&event) }
        let start = unsafe YAMLMark(event.start_mark)
        return unsafe Event(kind: try kind(of: event), start: start, end: YAMLMark(event.end_mark))
    }

    private func kind(of event: yaml_event_t) throws(YAMLError) -> Event.Kind {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias(unsafe text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT: return unsafe scalar(event.data.scalar)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return .sequenceStart(unsafe properties(start.anchor, start.tag))
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return .mappingStart(unsafe properties(start.anchor, start.tag))
        default:
            throw unsafe YAMLError(.syntax, "libyaml reports nothing", at: YAMLMark(event.start_mark))
        }
    }

    private func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> Event.Kind {
        let style: YAMLScalar.Style =
            switch unsafe scalar.style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
            case YAML_LITERAL_SCALAR_STYLE: .literal
            case YAML_FOLDED_SCALAR_STYLE: .folded
            default: .plain
            }
        let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return .scalar(
            text: unsafe String(decoding: bytes, as: UTF8.self), style: style,
            isImplicit: unsafe scalar.plain_implicit != 0, unsafe properties(scalar.anchor, scalar.tag))
    }

    private func properties(_ anchor: UnsafePointer<UInt8>?, _ tag: UnsafePointer<UInt8>?) -> Event.Properties {
        unsafe Event.Properties(anchor: text(anchor), tag: text(tag))
    }

    private func text(_ pointer: UnsafePointer<UInt8>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private func failure() -> YAMLError {
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "cannot be read"
        switch unsafe parser.pointee.error {
        case YAML_MEMORY_ERROR:
            return YAMLError(.limit, "out of memory", at: unsafe YAMLMark(parser.pointee.mark))
        case YAML_READER_ERROR:
            let offset = unsafe min(Int(clamping: parser.pointee.problem_offset), bytes.count)
            return unsafe .reader(
                problem, at: YAMLMark(offset: offset, in: bytes), value: Int(parser.pointee.problem_value))
        default:
            let mark = unsafe parser.pointee.problem_mark
            let context = unsafe parser.pointee.context == nil ? nil : YAMLMark(parser.pointee.context_mark)
            return .syntax(problem, at: YAMLMark(mark), character: scalar(at: mark.index), from: context)
        }
    }

    /// The Unicode scalar at an index, counted in scalars as libyaml does.
    private func scalar(at index: Int) -> Unicode.Scalar? {
        let start = unsafe bytes.starts(with: Encoding.byteOrderMark) ? 3 : 0
        let text = unsafe String(decoding: bytes[start...], as: UTF8.self).unicodeScalars
        return text.index(text.startIndex, offsetBy: index, limitedBy: text.endIndex).flatMap {
            $0 < text.endIndex ? text[$0] : nil
        }
    }
}

extension YAMLMark {
    /// libyaml counts from 0.
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}
