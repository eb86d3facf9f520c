#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-findings.h"

#include "facet-foreign-picture.h"
#include "sound/facet-waveform.h"

#define THUMBNAIL_SIZE 240
#define MAX_TEXT (8 << 20)

void
facet_findings_free (FacetFindings *findings)
{
  g_clear_pointer (&findings->bytes, g_bytes_unref);
  g_clear_pointer (&findings->thumbnail, facet_image_unref);
  g_free (findings->mime);
  g_free (findings->details);
  g_free (findings->peaks);
  g_free (findings);
}

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

/* Pictures that the engine does not read are stored as PNG, which it does. */
static FacetImage *
decode (FacetFindings *findings, GError **error)
{
  g_autoptr (GError) why = NULL;
  FacetImage *image = facet_image_new_from_bytes (findings->bytes, "attachment", &why);

  if (image == NULL && g_error_matches (why, FACET_ERROR, FACET_ERROR_UNSUPPORTED)) {
    image = facet_foreign_picture_load (findings->bytes, error);
    if (image != NULL) {
      g_bytes_unref (findings->bytes);
      findings->bytes = facet_picture_to_png (image);
    }
    return image;
  }
  if (why != NULL)
    g_propagate_error (error, g_steal_pointer (&why));
  return image;
}

static char *
picture_type (GBytes *bytes)
{
  return g_content_type_guess (NULL, g_bytes_get_data (bytes, NULL), MIN (g_bytes_get_size (bytes), 4096), NULL);
}

static gboolean
look_at_picture (FacetFindings *findings, const char *size, GError **error)
{
  g_autoptr (FacetImage) image = decode (findings, error);
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
  type = picture_type (findings->bytes);
  findings->mime = g_content_type_get_mime_type (type);
  findings->details = g_strdup_printf ("%d × %d · %s", width, height, size);
  return TRUE;
}

/* Of the kinds that the engine reads. */
static gboolean
begins_as_picture (GBytes *bytes)
{
  static const char *const marks[] = { "\x89PNG", "\xff\xd8\xff", "GIF8", "BM", "8BPS" };

  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (starts_with (bytes, 0, marks[i]))
      return TRUE;
  return FALSE;
}

/* As Windows writes it. What is no text then stays as it is. */
static void
convert_from_utf16 (FacetFindings *findings)
{
  gsize size;
  const char *data = g_bytes_get_data (findings->bytes, &size);
  gboolean marked = starts_with (findings->bytes, 0, "\xff\xfe") || starts_with (findings->bytes, 0, "\xfe\xff");
  char *text = marked && size <= MAX_TEXT ? g_convert (data, (gssize) size, "UTF-8", "UTF-16", NULL, &size, NULL) : NULL;

  if (text == NULL)
    return;
  g_bytes_unref (findings->bytes);
  findings->bytes = g_bytes_new_take (text, size);
}

/* A text that is too long is told apart from what is no text. */
static gboolean
look_at_text (FacetFindings *findings, const char *size, GError **why)
{
  gsize length;
  const char *text;

  convert_from_utf16 (findings);
  text = g_bytes_get_data (findings->bytes, &length);
  if (!g_utf8_validate_len (text, length, NULL))
    return FALSE;
  if (length > MAX_TEXT) {
    g_clear_error (why);
    g_set_error_literal (why, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The file is too large."));
    return FALSE;
  }
  findings->kind = FACET_ATTACHMENT_TEXT;
  findings->mime = g_strdup ("text/plain");
  findings->details = g_strdup (size);
  return TRUE;
}

static gboolean
look_at_sound (FacetFindings *findings, const char *size, GError **error)
{
  g_autoptr (FacetAudio) audio = facet_audio_load_bytes (findings->bytes, "attachment", NULL, error);
  const char *type = sound_type (findings->bytes);
  g_autofree char *length = NULL;

  if (audio == NULL)
    return FALSE;
  findings->kind = FACET_ATTACHMENT_AUDIO;
  findings->mime = g_strdup (type != NULL ? type : "application/octet-stream");
  findings->seconds = facet_audio_duration (audio);
  findings->peaks = g_new (float, FACET_FINDINGS_PEAKS);
  facet_audio_peaks (audio, findings->peaks, FACET_FINDINGS_PEAKS);
  length = facet_waveform_format_time (findings->seconds);
  findings->details = g_strdup_printf ("%s · %s", length, size);
  return TRUE;
}

/* A translated sentence for what was found wrong. */
static GError *
refusal (GBytes *bytes, const GError *why, gboolean sound)
{
  const char *sentence = _("It is no picture, sound or text that can be read.");

  if (why->domain == G_IO_ERROR)
    return g_error_copy (why);
  if (g_error_matches (why, FACET_ERROR, FACET_ERROR_MEDIA) && begins_as_picture (bytes)) {
    g_autofree char *type = picture_type (bytes);
    g_autofree char *kind = g_content_type_get_description (type);

    return g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The picture is damaged: %s"), kind);
  }
  if (g_error_matches (why, FACET_ERROR, FACET_ERROR_NO_MEMORY))
    sentence = _("The picture is too large to be decoded.");
  else if (sound)
    sentence = _("The sound is damaged, empty or of a kind that cannot be read.");
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
}

FacetFindings *
facet_findings_new (GBytes *bytes, GError **error)
{
  FacetFindings *findings = g_new0 (FacetFindings, 1);
  g_autofree char *size = g_format_size (g_bytes_get_size (bytes));
  gboolean sound = sound_type (bytes) != NULL;
  g_autoptr (GError) why = NULL;

  findings->bytes = g_bytes_ref (bytes);
  if (g_bytes_get_size (bytes) == 0)
    g_set_error_literal (&why, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The file is empty."));
  else if (sound ? look_at_sound (findings, size, &why) : look_at_picture (findings, size, &why))
    return findings;
  /* the rarer kinds of sound have no mark that is looked for above */
  if (!sound && g_error_matches (why, FACET_ERROR, FACET_ERROR_MEDIA) &&
      (look_at_text (findings, size, &why) || look_at_sound (findings, size, NULL)))
    return findings;

  facet_findings_free (findings);
  g_message ("an attachment is refused: %s", why->message);
  *error = refusal (bytes, why, sound);
  return NULL;
}
