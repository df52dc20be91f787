// SPDX-License-Identifier: Apache-2.0
#include "CPageFiles.h"

// C has had #embed since C23; this compiler has it in every C. Swift would take twenty seconds for the same bytes.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char chart[] = {
#embed "files/chart-3.9.1.min.js"
};
static const unsigned char page_script[] = {
#embed "files/page.js"
};
static const unsigned char style[] = {
#embed "files/page.css"
};
static const unsigned char icon[] = {
#embed "files/icon.svg"
};
static const unsigned char page[] = {
#embed "files/page.mustache"
};
static const unsigned char chart_template[] = {
#embed "files/chart.mustache"
};
static const unsigned char values_template[] = {
#embed "files/values.mustache"
};
static const unsigned char failure[] = {
#embed "files/failure.mustache"
};
static const unsigned char maintainers[] = {
#embed "files/maintainers.mustache"
};
static const unsigned char maintainers_script[] = {
#embed "files/maintainers.js"
};
static const unsigned char session_script[] = {
#embed "files/session.js"
};
static const unsigned char example_v0[] = {
#embed "files/example-v0.prom"
};
static const unsigned char example_operator[] = {
#embed "files/example-v1-operator.prom"
};
static const unsigned char example_controller[] = {
#embed "files/example-v1-controller.prom"
};

#define FILE_NAMED(name, bytes) {name, bytes, sizeof bytes}

static const page_file files[] = {
    FILE_NAMED("chart.js", chart),
    FILE_NAMED("page.js", page_script),
    FILE_NAMED("page.css", style),
    FILE_NAMED("icon.svg", icon),
    FILE_NAMED("page.mustache", page),
    FILE_NAMED("chart.mustache", chart_template),
    FILE_NAMED("values.mustache", values_template),
    FILE_NAMED("failure.mustache", failure),
    FILE_NAMED("maintainers.mustache", maintainers),
    FILE_NAMED("maintainers.js", maintainers_script),
    FILE_NAMED("session.js", session_script),
    FILE_NAMED("example-v0.prom", example_v0),
    FILE_NAMED("example-v1-operator.prom", example_operator),
    FILE_NAMED("example-v1-controller.prom", example_controller),
};

const page_file *page_file_at(size_t position) {
    return position < sizeof files / sizeof files[0] ? &files[position] : NULL;
}
