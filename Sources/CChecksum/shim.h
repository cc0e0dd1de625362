// The CRC-32C instructions that processors have. Swift has no way to say them.

#if defined(__x86_64__)

/// Whether the processor has SSE 4.2 (CPUID leaf 1, bit 20 of ECX).
static inline int crc32c_is_available(void) {
    unsigned int a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (int)((c >> 20) & 1);
}

/// `state` is not inverted.
__attribute__((target("sse4.2"))) static inline unsigned int crc32c_hardware(
    unsigned int state, const void *bytes, unsigned long count) {
    const unsigned char *next = (const unsigned char *)bytes;
    unsigned long long crc = state;
    while (count >= 8) {
        unsigned long long word;
        __builtin_memcpy(&word, next, 8);
        crc = __builtin_ia32_crc32di(crc, word);
        next += 8;
        count -= 8;
    }
    unsigned int rest = (unsigned int)crc;
    while (count > 0) {
        rest = __builtin_ia32_crc32qi(rest, *next);
        next += 1;
        count -= 1;
    }
    return rest;
}

#elif defined(__aarch64__)

extern unsigned long getauxval(unsigned long type);

/// HWCAP_CRC32 of AT_HWCAP.
static inline int crc32c_is_available(void) { return (int)((getauxval(16) >> 7) & 1); }

__attribute__((target("crc"))) static inline unsigned int crc32c_hardware(
    unsigned int state, const void *bytes, unsigned long count) {
    const unsigned char *next = (const unsigned char *)bytes;
    while (count >= 8) {
        unsigned long long word;
        __builtin_memcpy(&word, next, 8);
        state = __builtin_arm_crc32cd(state, word);
        next += 8;
        count -= 8;
    }
    while (count > 0) {
        state = __builtin_arm_crc32cb(state, *next);
        next += 1;
        count -= 1;
    }
    return state;
}

#else

static inline int crc32c_is_available(void) { return 0; }
static inline unsigned int crc32c_hardware(unsigned int state, const void *bytes, unsigned long count) {
    (void)bytes;
    (void)count;
    return state;
}

#endif
