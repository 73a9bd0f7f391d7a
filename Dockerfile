FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 sphinx \
 && install -d -o sphinx -g sphinx /data

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .

ENV PYTHONUNBUFFERED=1 SPHINX_DATA_DIR=/data STATIC_ROOT=/app/staticfiles
# Collected as in production; the key is for this step only and is not kept.
RUN DEBUG=0 SPHINX_DATA_DIR=/tmp/build SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    python manage.py collectstatic --noinput -v 0

USER sphinx
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "sphinx.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4"]
