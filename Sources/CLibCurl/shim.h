#include <curl/curl.h>

// Swift cannot call variadic functions: each kind of argument has a function of its own here. The macros of
// typecheck-gcc.h check the kinds at compile time where the option is known, which it is not here; the undefs keep
// them out of the way.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

typedef size_t (*fleet_curl_data_callback)(char *data, size_t size, size_t count, void *context);
typedef int (*fleet_curl_seek_callback)(void *context, curl_off_t offset, int origin);

static inline CURLcode fleet_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode fleet_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the string.
static inline CURLcode fleet_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode fleet_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode fleet_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the bytes.
static inline CURLcode fleet_curl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

static inline CURLcode fleet_curl_set_data_callback(
    CURL *handle, CURLoption option, fleet_curl_data_callback callback) {
    return curl_easy_setopt(handle, option, callback);
}

static inline CURLcode fleet_curl_set_seek_callback(CURL *handle, fleet_curl_seek_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, callback);
}

static inline CURLcode fleet_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode fleet_curl_get_socket(CURL *handle, curl_socket_t *value) {
    return curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, value);
}

static inline CURLMcode fleet_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// Macros with casts, which Swift does not import.
static const size_t fleet_curl_write_pause = CURL_WRITEFUNC_PAUSE;
static const size_t fleet_curl_read_pause = CURL_READFUNC_PAUSE;
static const size_t fleet_curl_read_abort = CURL_READFUNC_ABORT;
static const long fleet_curl_global_default = CURL_GLOBAL_DEFAULT;
