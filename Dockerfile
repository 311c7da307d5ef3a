# EvPower in a container, from what `make dist` made (docs/artefacts.md). Nothing else of the checkout is read (.dockerignore).
FROM python:3.13.5-slim-bookworm AS install

COPY dist/requirements.lock dist/evpower-*.whl /tmp/dist/
RUN python -m venv /opt/evpower \
 && /opt/evpower/bin/pip install --no-cache-dir --require-hashes -r /tmp/dist/requirements.lock \
 && /opt/evpower/bin/pip install --no-cache-dir --no-deps /tmp/dist/evpower-*.whl \
 && /opt/evpower/bin/pip uninstall --yes pip

FROM python:3.13.5-slim-bookworm

COPY --from=install /opt/evpower /opt/evpower
# The private PostgreSQL refuses to run as root, and EvPower needs no right of root's. A number, so that a cluster can see it.
RUN groupadd --system --gid 10001 evpower \
 && useradd --system --uid 10001 --gid evpower --home-dir /var/lib/evpower --create-home evpower

ENV PATH=/opt/evpower/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    EVPOWER_STATE_DIR=/var/lib/evpower

USER 10001:10001
WORKDIR /var/lib/evpower
VOLUME /var/lib/evpower
# Phones, and chargers.
EXPOSE 8080 9000
# A first start makes the database.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
# A container is given longer than the drain to end: `docker stop --time 60`, as compose.yaml does.
STOPSIGNAL SIGTERM
ENTRYPOINT ["evpower"]
CMD ["serve"]
