# syntax=docker/dockerfile:1
# One image for the API, the worker and the migration. The command of a container selects one of them.

FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/service.txt requirements/
# The environment has no pip. The pip of the base image installs into it.
RUN python -m venv --without-pip /opt/understudy \
    && pip --python /opt/understudy/bin/python install --quiet --require-hashes -r requirements/service.txt
# Editable, because a wheel contains only `understudy`. `app`, `workers` and `migrations` are found beside it.
WORKDIR /opt/understudy/service
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY understudy understudy
COPY app app
COPY workers workers
COPY migrations migrations
# The kernels are compiled here, so that no container compiles them at its first job. They are compiled for a generic
# processor, because otherwise they could only be used on the builder's kind of processor. The Python code is compiled
# as well, because containers cannot write to this folder.
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
# Health check of the API; docker-compose.yml defines another one for the worker.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Numba reads compiled kernels only from a folder that it can write to, and the root file system may be read-only. The
# data volume is not suitable, because its content outlives the image for which the kernels were compiled.
ENTRYPOINT ["sh", "-c", "cp -R /opt/understudy/kernels /tmp/ && exec \"$@\"", "sh"]
CMD ["understudy", "api", "--host", "0.0.0.0", "--port", "8000"]
