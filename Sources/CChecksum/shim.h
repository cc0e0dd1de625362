// Checksums whose speed hangs on instructions that Swift has no way to say: CRC-32C, and PostgreSQL's of a page, which
// is made of 32 sums side by side so that compilers can put several into one register.

/// The checksum of a page of 8 KiB with data in it, as it stands in `pd_checksum` (`src/include/storage/checksum_impl.h`:
/// FNV-1a over 32 columns of words, the field itself taken for zero). `block` is the page's number in its relation.
static inline unsigned short postgres_page_checksum(const void *page, unsigned int block) {
    enum { columns = 32, rows = 64 };
    unsigned int sums[columns] = {
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
        0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
        0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
        0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};
    for (int row = 0; row < rows + 2; row++) {
        unsigned int words[columns] = {0};
        if (row < rows) __builtin_memcpy(words, (const char *)page + row * sizeof words, sizeof words);
        if (row == 0) words[2] &= 0xFFFF0000;
        for (int column = 0; column < columns; column++) {
            unsigned int mixed = sums[column] ^ words[column];
            sums[column] = mixed * 16777619u ^ mixed >> 17;
        }
    }
    unsigned int sum = 0;
    for (int column = 0; column < columns; column++) sum ^= sums[column];
    return (unsigned short)((sum ^ block) % 65535 + 1);
}

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
