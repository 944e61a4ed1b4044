// libcurl sets and reads everything by functions with variable arguments, which Swift cannot call.
#include <curl/curl.h>

static inline CURLcode vigil_curl_set_long(CURL *curl, CURLoption option, long value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode vigil_curl_set_offset(CURL *curl, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode vigil_curl_set_text(CURL *curl, CURLoption option, const char *value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode vigil_curl_set_pointer(CURL *curl, CURLoption option, const void *value) {
    return curl_easy_setopt(curl, option, value);
}

// CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
typedef size_t (*vigil_curl_taker)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode vigil_curl_set_taker(CURL *curl, CURLoption option, vigil_curl_taker value) {
    return curl_easy_setopt(curl, option, value);
}

// CURLOPT_XFERINFOFUNCTION: anything but 0 ends the transfer.
typedef int (*vigil_curl_progress)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

static inline CURLcode vigil_curl_set_progress(CURL *curl, vigil_curl_progress value) {
    return curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, value);
}

static inline long vigil_curl_status(CURL *curl) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

// CURLAUTH_BASIC and CURLAUTH_BEARER are casts, which Swift does not read.
static const unsigned long CURLAUTH_BASIC_MASK = 1UL << 0;
static const unsigned long CURLAUTH_BEARER_MASK = 1UL << 6;
