#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-activity-log.h"
#include "facet-attachment.h"
#include "facet.h"

#define THUMBNAIL_SIZE 240
#define MAX_FILE (G_GUINT64_CONSTANT (256) << 20)
#define MAX_TEXT (1 << 20)

/* What the thread finds out; handed over whole. */
typedef struct {
  FacetAttachmentKind kind;
  GBytes             *bytes;
  char               *mime;
  char               *details;
  FacetImage         *thumbnail;
} Findings;

struct _FacetAttachment {
  GObject parent_instance;

  char                *name;
  FacetAttachmentState state;
  Findings            *findings;
  char                *refusal;
  GdkTexture          *thumbnail;
};

enum {
  PROP_STATE = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetAttachment, facet_attachment, G_TYPE_OBJECT)

static void
findings_free (gpointer data)
{
  Findings *findings = data;

  g_clear_pointer (&findings->bytes, g_bytes_unref);
  g_clear_pointer (&findings->thumbnail, facet_image_unref);
  g_free (findings->mime);
  g_free (findings->details);
  g_free (findings);
}

/* ---- in a thread -------------------------------------------------------- */

static gboolean
starts_with (GBytes *bytes, gsize offset, const char *magic)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  gsize length = strlen (magic);

  return size >= offset + length && memcmp (data + offset, magic, length) == 0;
}

static const char *
sound_type (GBytes *bytes)
{
  if (starts_with (bytes, 0, "RIFF") && starts_with (bytes, 8, "WAVE"))
    return "audio/x-wav";
  if (starts_with (bytes, 0, "fLaC"))
    return "audio/flac";
  if (starts_with (bytes, 0, "OggS"))
    return "audio/ogg";
  if (starts_with (bytes, 0, "ID3") || starts_with (bytes, 0, "\xff\xfb"))
    return "audio/mpeg";
  if (starts_with (bytes, 0, "FORM") && starts_with (bytes, 8, "AIF"))
    return "audio/x-aiff";
  return starts_with (bytes, 0, "caff") ? "audio/x-caf" : NULL;
}

static gboolean
look_at_picture (Findings *findings, const char *size, GError **error)
{
  g_autoptr (FacetImage) image = facet_image_new_from_bytes (findings->bytes, "attachment", error);
  g_autofree char *type = NULL;
  int width;
  int height;
  double scale;

  if (image == NULL)
    return FALSE;
  width = facet_image_width (image);
  height = facet_image_height (image);
  scale = MIN (1.0, (double) THUMBNAIL_SIZE / MAX (width, height));
  findings->kind = FACET_ATTACHMENT_IMAGE;
  findings->thumbnail = facet_image_scale (image, MAX (1, width * scale), MAX (1, height * scale));
  type = g_content_type_guess (NULL, g_bytes_get_data (findings->bytes, NULL),
                               MIN (g_bytes_get_size (findings->bytes), 4096), NULL);
  findings->mime = g_content_type_get_mime_type (type);
  findings->details = g_strdup_printf ("%d × %d · %s", width, height, size);
  return TRUE;
}

static gboolean
look_at_text (Findings *findings, const char *size)
{
  gsize length;
  const char *text = g_bytes_get_data (findings->bytes, &length);

  if (length > MAX_TEXT || !g_utf8_validate_len (text, length, NULL))
    return FALSE;
  findings->kind = FACET_ATTACHMENT_TEXT;
  findings->mime = g_strdup ("text/plain");
  findings->details = g_strdup (size);
  return TRUE;
}

static Findings *
look_at (GBytes *bytes, GError **error)
{
  Findings *findings = g_new0 (Findings, 1);
  g_autofree char *size = g_format_size (g_bytes_get_size (bytes));
  g_autoptr (GError) why = NULL;

  findings->bytes = g_bytes_ref (bytes);
  if (sound_type (bytes) != NULL) {
    findings->kind = FACET_ATTACHMENT_AUDIO;
    findings->mime = g_strdup (sound_type (bytes));
    findings->details = g_strdup (size);
    return findings;
  }
  if (look_at_picture (findings, size, &why))
    return findings;
  if (g_error_matches (why, FACET_ERROR, FACET_ERROR_MEDIA) && look_at_text (findings, size))
    return findings;

  findings_free (findings);
  g_message ("an attachment is refused: %s", why->message);
  if (g_error_matches (why, FACET_ERROR, FACET_ERROR_NO_MEMORY))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The picture is too large to be decoded."));
  else if (g_error_matches (why, FACET_ERROR, FACET_ERROR_UNSUPPORTED))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("Pictures of this kind cannot be read."));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         _("It is no picture, sound or text that can be read."));
  return NULL;
}

static void
look_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  Findings *findings;

  if (G_IS_FILE (data)) {
    g_autoptr (GFileInfo) info = g_file_query_info (data, G_FILE_ATTRIBUTE_STANDARD_SIZE, 0, cancellable, NULL);

    if (info != NULL && (guint64) g_file_info_get_size (info) > MAX_FILE) {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s", _("The file is too large."));
      return;
    }
    bytes = g_file_load_bytes (data, cancellable, NULL, NULL);
  } else {
    bytes = gdk_texture_save_to_png_bytes (data);
  }
  if (bytes == NULL) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", _("The file cannot be read."));
    return;
  }
  findings = look_at (bytes, &error);
  if (findings != NULL)
    g_task_return_pointer (task, findings, findings_free);
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
  FacetAttachment *self = FACET_ATTACHMENT (object);
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

static FacetAttachment *
start (char *name, gpointer source)
{
  FacetAttachment *self = g_object_new (FACET_TYPE_ATTACHMENT, NULL);
  g_autoptr (GTask) task = g_task_new (self, NULL, looked_cb, NULL);

  self->name = name;
  g_task_set_task_data (task, g_object_ref (source), g_object_unref);
  g_task_run_in_thread (task, look_thread);
  return self;
}

FacetAttachment *
facet_attachment_new_for_file (GFile *file)
{
  g_autofree char *path = g_file_get_path (file);
  g_autofree char *name = g_file_get_basename (file);

  if (path != NULL)
    facet_activity_log_add (FACET_ACTIVITY_READ, path);
  return start (g_filename_display_name (name), file);
}

FacetAttachment *
facet_attachment_new_for_texture (GdkTexture *texture)
{
  return start (g_strdup (C_("name of a file", "Pasted picture.png")), texture);
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

  g_clear_pointer (&self->findings, findings_free);
  g_clear_object (&self->thumbnail);
  g_free (self->refusal);
  g_free (self->name);
  G_OBJECT_CLASS (facet_attachment_parent_class)->finalize (object);
}

static void
facet_attachment_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_STATE:
    g_value_set_int (value, FACET_ATTACHMENT (object)->state);
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
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
facet_attachment_init (FacetAttachment *self)
{
}
