FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /streamd ./cmd/streamd \
 && mkdir /data && chown 65532:65532 /data

FROM scratch
COPY --from=build /streamd /streamd
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
VOLUME /data
EXPOSE 6379
# Inside a container the loopback interface is the container's own: listen on all, and set a password or a network policy.
ENTRYPOINT ["/streamd", "--bind", "0.0.0.0", "--dir", "/data"]
