# Engine, books and web: the command `callcenter` with all that it needs.
# Asterisk is in here too (not running): its version and its files are looked at when a node's configuration is written.
FROM debian:forky-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        asterisk asterisk-core-sounds-en-wav asterisk-moh-opsound-wav espeak-ng openssl python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/callcenter
COPY requirements.lock ./
RUN python3 -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY callcenter ./callcenter
COPY asterisk-config ./asterisk-config
COPY dialplan ./dialplan
COPY provisioning ./provisioning
COPY sounds ./sounds
RUN .venv/bin/pip install --no-cache-dir --no-deps .

RUN groupadd --gid 10001 callcenter \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/callcenter callcenter \
    && install -d -o callcenter -g callcenter -m 0711 /var/lib/callcenter
USER callcenter
WORKDIR /var/lib/callcenter
VOLUME /var/lib/callcenter
ENV PATH=/opt/callcenter/.venv/bin:$PATH \
    CALLCENTER_DATA=/var/lib/callcenter \
    CALLCENTER_CONFIG=/etc/callcenter/callcenter.toml
ENTRYPOINT ["callcenter"]
CMD ["--help"]
