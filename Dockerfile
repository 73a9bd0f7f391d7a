# The guide is built apart: what builds it stays out of the image that runs.
FROM python:3.11-slim-bookworm AS guide
WORKDIR /app
COPY requirements.txt requirements-demo.txt ./
RUN pip install --no-cache-dir -r requirements.txt -r requirements-demo.txt
COPY . .
RUN DEBUG=1 SPHINX_DATA_DIR=/tmp/build SPHINX_GUIDE_DIR=/guide python manage.py build_guide

FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 sphinx \
 && install -d -o sphinx -g sphinx /data

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
COPY --from=guide /guide /app/guide

ENV PYTHONUNBUFFERED=1 SPHINX_DATA_DIR=/data STATIC_ROOT=/app/staticfiles \
    SPHINX_GUIDE_DIR=/app/guide
# Collected as in production; the key is for this step only and is not kept.
RUN DEBUG=0 SPHINX_DATA_DIR=/tmp/build SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    python manage.py collectstatic --noinput -v 0

USER sphinx
VOLUME /data
EXPOSE 8000
# Processes, threads and how long connections are kept: gunicorn.conf.py.
CMD ["gunicorn", "sphinx.wsgi", "--bind", "0.0.0.0:8000"]
