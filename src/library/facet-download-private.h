/* facet-download-private.h - the state of a download, for its source files */
#pragma once

#include <libsoup/soup.h>

#include "facet-download.h"

G_BEGIN_DECLS

struct _FacetDownload {
  GObject             parent_instance;

  /* what is wanted */
  char               *address;
  char               *target;
  guint64             size;
  char               *sha256;
  FacetDownloadCheck  check;
  guint               pause_ms;
  guint               goes;

  /* what the properties show */
  FacetDownloadState  state;
  guint64             received;
  guint64             total;
  char               *message;

  /* the go under way */
  SoupSession        *session;
  SoupMessage        *request;
  GUri               *uri;       /* after redirects */
  GInputStream       *body;
  int                 fd;        /* of the part; -1: closed */
  guint               go;        /* counts, so that late answers are known */
  GCancellable       *cancellable;
  gsize               writing;   /* bytes on their way to the part */
  guint               redirects;
  guint               failures;  /* goes without progress */
  guint               restarts;  /* from the first byte, in this run */
  gboolean            progress;  /* this go brought something */
  guint               retry_source;

  /* of the part on disk */
  char               *validator; /* strong ETag or date */

  /* speed */
  gint64              notified;
  gint64              measured;
  guint64             measured_received;
  double              speed;
};

/* ---- what the properties show (facet-download.c) ---- */

void     facet_download_set_state       (FacetDownload *self, FacetDownloadState state);
void     facet_download_set_message     (FacetDownload *self, const char *message);
void     facet_download_notify_progress (FacetDownload *self, gboolean now); /* else seldom enough to be shown */

/* ---- one go, from the request to its end or the next go (facet-download-go.c) ---- */

void     facet_download_go_begin     (FacetDownload *self);
/* Callbacks that still come see their cancellable. */
void     facet_download_go_end       (FacetDownload *self);
/* @sentence: for people. */
void     facet_download_go_fail      (FacetDownload *self, const char *sentence);

/* ---- the part on disk (facet-download-part.c) ---- */

char    *facet_download_part_path    (FacetDownload *self);

/* Sets received, total and validator from disk; all 0 if what is there cannot
 * be continued. */
void     facet_download_part_load    (FacetDownload *self);
gboolean facet_download_part_save    (FacetDownload *self, GError **error);

/* Opens it with @received bytes: what lies beyond is dropped. */
gboolean facet_download_part_open    (FacetDownload *self, GError **error);

/* Writes at @received in another thread. A write that is still under way when
 * the part is opened again writes the same bytes to the same place. */
void     facet_download_part_write   (FacetDownload *self, GBytes *bytes, GAsyncReadyCallback callback, gpointer data);
void     facet_download_part_close   (FacetDownload *self);
void     facet_download_part_remove  (FacetDownload *self);

/* Whether the disk holds what is still to come; the error says how much is
 * missing. */
gboolean facet_download_has_room     (FacetDownload *self, GError **error);

/* Length, SHA-256, check, fsync and rename, in another thread. */
void     facet_download_complete     (FacetDownload *self, GAsyncReadyCallback callback);

/* ---- answers of servers (facet-download-answer.c) ---- */

typedef enum {
  FACET_ANSWER_BODY,     /* read on; received is where the body begins */
  FACET_ANSWER_COMPLETE, /* nothing is missing */
  FACET_ANSWER_REDIRECT, /* uri is the new one */
  FACET_ANSWER_AGAIN,    /* a passing failure */
  FACET_ANSWER_RESTART,  /* the part does not belong to this file */
  FACET_ANSWER_REFUSED,  /* error is set */
} FacetDownloadVerdict;

FacetDownloadVerdict facet_download_judge   (FacetDownload *self, GError **error);
gboolean             facet_download_allowed (GUri *uri);

G_END_DECLS
