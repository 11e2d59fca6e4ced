# twohand with the clients of its Kafka engine. Nothing runs as root; the file system may be read-only.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /build
COPY requirements-kafka.lock .
RUN python -m venv /opt/twohand && /opt/twohand/bin/pip install --no-cache-dir --require-hashes -r requirements-kafka.lock
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY rules rules
COPY reviewers reviewers
COPY streams streams
RUN /opt/twohand/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12.12-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends git openssh-client && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin twohand
COPY --from=build /opt/twohand /opt/twohand
ENV PATH=/opt/twohand/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8
USER 10001:10001
ENTRYPOINT ["twohand"]
CMD ["--help"]
