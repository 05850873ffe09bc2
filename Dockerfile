# syntax=docker/dockerfile:1
# The image of web, worker and migration; docs/deploy.md says how it is used and how it was tested.

# The version of scripts/uv.txt; a test compares them.
FROM ghcr.io/astral-sh/uv:0.13.8 AS uv

# Pinned to a minor version of Python and a release of Debian: security fixes come with each build.
FROM python:3.13-slim-trixie AS base

FROM base AS build
COPY --from=uv /uv /bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/venv
WORKDIR /app
# The dependencies are a layer of their own, so a change in the code does not install them again.
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    uv sync --locked --no-default-groups
COPY . .
# Compiled here, because nothing can be written where it runs, and a start would compile every time.
# Readable for everybody, because a checkout may be for its owner's eyes only.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash saas wsgi.py \
    && chmod -R a+rX /app

FROM base
RUN useradd --system --no-create-home --uid 10001 app \
    && install -d -o app -g app /app/instance
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLASK_APP=wsgi \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /app
USER 10001
# SQLite lives here, when it is used; nothing else is written but to /tmp.
VOLUME /app/instance
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
CMD ["gunicorn", "wsgi:app"]
