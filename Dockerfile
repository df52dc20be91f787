# SPDX-License-Identifier: Apache-2.0
# docker build --tag cozy-telemetry .
#
# The root file system is the one of `make root`, which a test runs the program in; there is nothing else in the image.
FROM swift:6.3.1-bookworm AS build
ARG SOURCE_DATE_EPOCH=0
WORKDIR /src
# In a layer of their own: they change less often than what is built.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libsqlite3-dev make zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make root ROOT=/root-of-image SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH

FROM scratch
COPY --from=build /root-of-image /
ENV PATH=/usr/bin
USER 65532:65532
WORKDIR /var/lib/cozy-telemetry
EXPOSE 8081
ENTRYPOINT ["/usr/bin/cozy-telemetry"]
CMD ["--help"]
