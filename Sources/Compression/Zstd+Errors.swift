import CZstd

/// The result of a zstd call, or the error that it carries.
///
/// - Parameter activity: what was being done, for the message.
@discardableResult
func checked(_ result: Int, _ activity: String) throws(CompressionError) -> Int {
    guard ZSTD_isError(result) != 0 else { return result }
    let reason = unsafe ZSTD_getErrorName(result).map { unsafe String(cString: $0) } ?? "unknown error"
    throw CompressionError(code(of: result), "\(activity): \(reason)")
}

private func code(of result: Int) -> CompressionError.Code {
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_prefix_unknown, ZSTD_error_version_unsupported, ZSTD_error_frameParameter_unsupported,
        ZSTD_error_corruption_detected, ZSTD_error_checksum_wrong, ZSTD_error_srcSize_wrong,
        ZSTD_error_dictionary_wrong, ZSTD_error_dictionary_corrupted, ZSTD_error_noForwardProgress_destFull,
        ZSTD_error_noForwardProgress_inputEmpty:
        .corrupted
    case ZSTD_error_dstSize_tooSmall, ZSTD_error_frameParameter_windowTooLarge: .tooLarge
    case ZSTD_error_memory_allocation: .exhausted
    case ZSTD_error_parameter_unsupported, ZSTD_error_parameter_outOfBound: .invalidParameter
    default: .failed
    }
}
