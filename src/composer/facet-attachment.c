#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "facet-activity-log.h"
#include "facet-attachment.h"
#include "facet-findings.h"

#define MAX_FILE (G_GUINT64_CONSTANT (256) << 20)

/* What the thread is given: one of the first three. */
typedef struct {
  GFile      *file;
  GdkTexture *texture;
  GBytes     *bytes;
  gboolean    own; /* may be mapped */
} Source;

struct _FacetAttachment {
  GObject parent_instance;

  char                *name;
  char                *path;
  gboolean             is_recording;
  FacetAttachmentState state;
  FacetFindings       *findings;
  char                *refusal;
  GdkTexture          *thumbnail;
  int                  tokens;
};

enum {
  PROP_STATE = 1,
  PROP_TOKENS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetAttachment, facet_attachment, G_TYPE_OBJECT)

static void
source_free (gpointer data)
{
  Source *source = data;

  g_clear_object (&source->file);
  g_clear_object (&source->texture);
  g_clear_pointer (&source->bytes, g_bytes_unref);
  g_free (source);
}

/* ---- in a thread -------------------------------------------------------- */

static GError *
refusal (const char *sentence)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
}

static GBytes *
read_file (const Source *source, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = g_file_get_path (source->file);
  guint64 most = source->own ? FACET_STORE_MAX_ATTACHMENT : MAX_FILE;
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GMappedFile) mapped = NULL;
  GBytes *bytes;

  /* an address on the network is never looked up */
  if (path == NULL) {
    *error = refusal (_("The file is not on this computer."));
    return NULL;
  }
  info = g_file_query_info (source->file, G_FILE_ATTRIBUTE_STANDARD_SIZE "," G_FILE_ATTRIBUTE_STANDARD_TYPE, 0, cancellable, NULL);
  if (info != NULL && g_file_info_get_file_type (info) != G_FILE_TYPE_REGULAR) {
    /* pipes and devices may never end */
    *error = refusal (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY ? _("It is a folder: attach the files in it.")
                                                                                : _("The file cannot be read."));
    return NULL;
  }
  if (info != NULL && (guint64) g_file_info_get_size (info) > most) {
    *error = refusal (_("The file is too large."));
    return NULL;
  }
  if (source->own)
    mapped = g_mapped_file_new (path, FALSE, NULL);
  bytes = mapped != NULL ? g_mapped_file_get_bytes (mapped) : g_file_load_bytes (source->file, cancellable, NULL, NULL);
  if (bytes == NULL)
    *error = refusal (_("The file cannot be read."));
  return bytes;
}

static void
look_thread (GTask *task, gpointer object, gpointer data, GCancellable *cancellable)
{
  const Source *source = data;
  GError *error = NULL;
  FacetFindings *findings = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (source->bytes != NULL)
    bytes = g_bytes_ref (source->bytes);
  else if (source->texture != NULL)
    bytes = gdk_texture_save_to_png_bytes (source->texture);
  else
    bytes = read_file (source, cancellable, &error);
  if (bytes != NULL)
    findings = facet_findings_new (bytes, &error);
  if (findings != NULL)
    g_task_return_pointer (task, findings, (GDestroyNotify) facet_findings_free);
  else
    g_task_return_error (task, error);
}

/* ---- in the main thread ------------------------------------------------- */

static GdkTexture *
texture_of (const FacetImage *image)
{
  int width = facet_image_width (image);
  int height = facet_image_height (image);
  g_autoptr (GBytes) pixels = g_bytes_new (facet_image_pixels (image), (gsize) width * height * 3);

  return gdk_memory_texture_new (width, height, GDK_MEMORY_R8G8B8, pixels, (gsize) width * 3);
}

static void
looked_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetAttachment) self = data;
  g_autoptr (GError) error = NULL;

  self->findings = g_task_propagate_pointer (G_TASK (result), &error);
  if (self->findings == NULL) {
    self->state = FACET_ATTACHMENT_REFUSED;
    self->refusal = g_strdup (error->message);
  } else {
    self->state = FACET_ATTACHMENT_READY;
    if (self->findings->thumbnail != NULL)
      self->thumbnail = texture_of (self->findings->thumbnail);
  }
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

/* Takes @name; what @source holds is copied or referenced. */
static FacetAttachment *
start (char *name, const Source *source)
{
  FacetAttachment *self = g_object_new (FACET_TYPE_ATTACHMENT, NULL);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, looked_cb, g_object_ref (self));
  Source *own = g_new0 (Source, 1);

  self->name = name;
  self->path = source->file != NULL ? g_file_get_path (source->file) : NULL;
  if (self->path != NULL)
    facet_activity_log_add (FACET_ACTIVITY_READ, self->path);
  g_set_object (&own->file, source->file);
  g_set_object (&own->texture, source->texture);
  own->bytes = source->bytes != NULL ? g_bytes_ref (source->bytes) : NULL;
  own->own = source->own;
  g_task_set_task_data (task, own, source_free);
  g_task_run_in_thread (task, look_thread);
  return self;
}

static char *
display_name (GFile *file)
{
  g_autofree char *name = g_file_get_basename (file);

  return g_filename_display_name (name);
}

FacetAttachment *
facet_attachment_new_for_file (GFile *file)
{
  return start (display_name (file), &(Source){ .file = file });
}

FacetAttachment *
facet_attachment_new_for_own (const char *path, const char *name)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);

  return start (g_strdup (name), &(Source){ .file = file, .own = TRUE });
}

FacetAttachment *
facet_attachment_new_for_recording (const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  FacetAttachment *self = start (display_name (file), &(Source){ .file = file, .own = TRUE });

  self->is_recording = TRUE;
  return self;
}

FacetAttachment *
facet_attachment_new_for_texture (GdkTexture *texture)
{
  return start (g_strdup (C_("name of a file", "Pasted picture.png")), &(Source){ .texture = texture });
}

FacetAttachment *
facet_attachment_new_for_text (const char *text, gssize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, length < 0 ? strlen (text) : (gsize) length);

  return start (g_strdup (C_("name of a file", "Pasted text.txt")), &(Source){ .bytes = bytes });
}

void
facet_attachment_discard (FacetAttachment *self)
{
  if (self->is_recording && g_unlink (self->path) != 0)
    g_warning ("%s could not be removed", self->path);
  self->is_recording = FALSE;
}

int
facet_attachment_get_tokens (FacetAttachment *self)
{
  return self->tokens;
}

void
facet_attachment_set_tokens (FacetAttachment *self, int tokens)
{
  if (self->tokens == tokens)
    return;
  self->tokens = tokens;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TOKENS]);
}

const char *
facet_attachment_get_path (FacetAttachment *self)
{
  return self->path;
}

double
facet_attachment_get_seconds (FacetAttachment *self)
{
  return self->findings != NULL ? self->findings->seconds : 0;
}

const float *
facet_attachment_get_peaks (FacetAttachment *self, gsize *n)
{
  const float *peaks = self->findings != NULL ? self->findings->peaks : NULL;

  *n = peaks != NULL ? FACET_FINDINGS_PEAKS : 0;
  return peaks;
}

FacetAttachmentState
facet_attachment_get_state (FacetAttachment *self)
{
  return self->state;
}

const char *
facet_attachment_get_name (FacetAttachment *self)
{
  return self->name;
}

FacetAttachmentKind
facet_attachment_get_kind (FacetAttachment *self)
{
  return self->findings != NULL ? self->findings->kind : FACET_ATTACHMENT_TEXT;
}

const char *
facet_attachment_get_details (FacetAttachment *self)
{
  if (self->refusal != NULL)
    return self->refusal;
  return self->findings != NULL ? self->findings->details : "";
}

GdkTexture *
facet_attachment_get_thumbnail (FacetAttachment *self)
{
  return self->thumbnail;
}

GBytes *
facet_attachment_get_bytes (FacetAttachment *self)
{
  return self->findings != NULL ? self->findings->bytes : NULL;
}

const char *
facet_attachment_get_mime (FacetAttachment *self)
{
  return self->findings != NULL ? self->findings->mime : NULL;
}

static void
facet_attachment_finalize (GObject *object)
{
  FacetAttachment *self = FACET_ATTACHMENT (object);

  g_clear_pointer (&self->findings, facet_findings_free);
  g_clear_object (&self->thumbnail);
  g_free (self->refusal);
  g_free (self->name);
  g_free (self->path);
  G_OBJECT_CLASS (facet_attachment_parent_class)->finalize (object);
}

static void
facet_attachment_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_STATE:
    g_value_set_int (value, FACET_ATTACHMENT (object)->state);
    break;
  case PROP_TOKENS:
    g_value_set_int (value, FACET_ATTACHMENT (object)->tokens);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_attachment_class_init (FacetAttachmentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = facet_attachment_finalize;
  object_class->get_property = facet_attachment_get_property;
  props[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, 0, FACET_ATTACHMENT_REFUSED, 0,
                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_TOKENS] = g_param_spec_int ("tokens", NULL, NULL, -1, G_MAXINT, -1,
                                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
facet_attachment_init (FacetAttachment *self)
{
  self->tokens = -1;
}
