/* facet-download.h - one file fetched over HTTPS, whenever it takes several goes
 *
 *   <target>.part        what has arrived
 *   <target>.part.state  address, validator and length, to go on after a restart
 *   <target>             appears whole, by rename, after all checks
 *
 * Only https is accepted, also after redirects (http only for this machine
 * itself, 127.0.0.1 or ::1). Cut connections are tried again with growing
 * pauses; a file that changed on the server is fetched from its beginning.
 * Checked at the end: the length, the SHA-256 if known, and that the file is
 * what it should be (the check function).
 *
 * Properties (notify): "state" (int, FacetDownloadState), "received", "total"
 * (uint64, bytes; total 0: unknown), "message" (string: a translated sentence
 * when FAILED or waiting to try again, else NULL).
 *
 * Thread-safety: main thread only; the main context does the work, hashing
 * happens in a thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  FACET_DOWNLOAD_PAUSED,  /* also the first state; a part may be on disk */
  FACET_DOWNLOAD_RUNNING, /* also while waiting to try again */
  FACET_DOWNLOAD_CHECKING,
  FACET_DOWNLOAD_DONE,
  FACET_DOWNLOAD_FAILED,  /* what has arrived is kept where it can be used */
} FacetDownloadState;

#define FACET_TYPE_DOWNLOAD (facet_download_get_type ())
G_DECLARE_FINAL_TYPE (FacetDownload, facet_download, FACET, DOWNLOAD, GObject)

/* Runs in another thread on the complete file before it is renamed. */
typedef gboolean (*FacetDownloadCheck) (const char *path, GError **error);

/* @size 0 and @sha256 NULL: unknown. Nothing happens before
 * facet_download_start(). */
FacetDownload     *facet_download_new          (const char *address,
                                                const char *target,
                                                guint64     size,
                                                const char *sha256);

/* FacetDownloadCheck that accepts files whose GGUF header fits their length. */
gboolean           facet_download_check_gguf   (const char *path, GError **error);
void               facet_download_set_check    (FacetDownload *self, FacetDownloadCheck check);

/* First pause before trying again, doubled up to a minute; and how many goes
 * without any progress are made. Defaults: 1000 ms, 8. */
void               facet_download_set_retry    (FacetDownload *self, guint pause_ms, guint goes);

void               facet_download_start        (FacetDownload *self); /* or go on */
void               facet_download_pause        (FacetDownload *self); /* keeps the part */
void               facet_download_discard      (FacetDownload *self); /* removes the part */

FacetDownloadState facet_download_get_state    (FacetDownload *self);
guint64            facet_download_get_received (FacetDownload *self);
guint64            facet_download_get_total    (FacetDownload *self);
const char        *facet_download_get_message  (FacetDownload *self);
const char        *facet_download_get_target   (FacetDownload *self);

/* Bytes per second over the last seconds, 0 when not known. */
double             facet_download_get_speed    (FacetDownload *self);

/* Whether a part of @target that can be continued lies on disk. */
gboolean           facet_download_has_part     (const char *target);

G_END_DECLS
