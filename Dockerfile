# syntax=docker/dockerfile:1
# One image for the API, the worker and the one-shot migration; which of them a container is, its command says.

FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/service.txt requirements/
# Without a pip of its own: the base image's installs into it.
RUN python -m venv --without-pip /opt/understudy \
    && pip --python /opt/understudy/bin/python install --quiet --require-hashes -r requirements/service.txt
# Editable, since a wheel contains `understudy` alone: `app`, `workers` and `migrations` are found beside it.
WORKDIR /opt/understudy/service
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY understudy understudy
COPY app app
COPY workers workers
COPY migrations migrations
# The kernels are compiled here, so that no container compiles at its first job, and for a generic processor: on
# another kind of processor than the builder's they would not be found. So is the Python code: nobody can write there.
ENV NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=/opt/understudy/kernels
RUN pip --python /opt/understudy/bin/python install --quiet --no-build-isolation --no-deps --editable . \
    && /opt/understudy/bin/python -m compileall -q . \
    && /opt/understudy/bin/python -P -m understudy.kernels

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Understudy" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 understudy \
    && useradd --uid 10001 --gid understudy --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin understudy \
    && install --directory --owner understudy --group understudy --mode 0700 /var/lib/understudy
COPY --from=build /opt/understudy /opt/understudy
ENV PATH=/opt/understudy/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CPU_NAME=generic \
    NUMBA_CACHE_DIR=/tmp/kernels \
    UNDERSTUDY_DATA_DIR=/var/lib/understudy
USER 10001:10001
WORKDIR /var/lib/understudy
VOLUME /var/lib/understudy
EXPOSE 8000
# The health of the API; docker-compose.yml gives the worker its own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Numba reads compiled kernels only where it can write too, and the root may be read-only. Not in the data volume:
# what lies there outlives the image that it was compiled for.
ENTRYPOINT ["sh", "-c", "cp -R /opt/understudy/kernels /tmp/ && exec \"$@\"", "sh"]
CMD ["uvicorn", "app.main:create_app", "--factory", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "8"]
