#include "media/sound-file.h"
#include "media/sound-header.h"

#include <math.h>
#include <sndfile.h>

#define MAX_SAMPLE 65536.0f

struct FacetSoundFile {
  const FacetSoundSource *source;
  SNDFILE *snd;
  SF_INFO  info;
  gint64   offset;    /* of the next byte libsndfile reads */
  gint64   position;  /* of the next frame */
  gboolean lfe[FACET_SOUND_MAX_CHANNELS];
};

/* ---- libsndfile's callbacks ---- */

static sf_count_t
io_length (void *data)
{
  return ((FacetSoundFile *) data)->source->size;
}

static sf_count_t
io_seek (sf_count_t offset, int whence, void *data)
{
  FacetSoundFile *file = data;
  gint64 base = whence == SEEK_CUR ? file->offset : whence == SEEK_END ? file->source->size : 0;
  gint64 target;

  if (__builtin_add_overflow (base, (gint64) offset, &target) || target < 0)
    return -1;
  file->offset = target;
  return target;
}

static sf_count_t
io_read (void *buffer, sf_count_t count, void *data)
{
  FacetSoundFile *file = data;
  gsize n = count <= 0 ? 0 : facet_sound_source_read (file->source, file->offset, buffer, (gsize) count);

  file->offset += (gint64) n;
  return (sf_count_t) n;
}

static sf_count_t
io_tell (void *data)
{
  return ((FacetSoundFile *) data)->offset;
}

static SF_VIRTUAL_IO callbacks = { io_length, io_seek, io_read, NULL, io_tell };

/* ---- opening ---- */

static gboolean
check_info (FacetSoundFile *file, GError **error)
{
  const SF_INFO *info = &file->info;
  const char *name = file->source->name;

  if (info->channels < 1 || info->channels > FACET_SOUND_MAX_CHANNELS) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: channels = %d, must be 1 to %d", name, info->channels,
                 FACET_SOUND_MAX_CHANNELS);
    return FALSE;
  }
  if (info->samplerate < FACET_SOUND_MIN_RATE || info->samplerate > FACET_SOUND_MAX_RATE) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: sample rate = %d Hz, must be %d to %d", name,
                 info->samplerate, FACET_SOUND_MIN_RATE, FACET_SOUND_MAX_RATE);
    return FALSE;
  }
  if (info->frames <= 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: frames = %" G_GINT64_FORMAT ", the file holds no sound",
                 name, (gint64) info->frames);
    return FALSE;
  }
  return facet_sound_header_check (file->source, error);
}

static void
read_channel_map (FacetSoundFile *file)
{
  int map[FACET_SOUND_MAX_CHANNELS];

  if (!sf_command (file->snd, SFC_GET_CHANNEL_MAP_INFO, map, (int) sizeof (int) * file->info.channels))
    return;
  for (int c = 0; c < file->info.channels; c++)
    file->lfe[c] = map[c] == SF_CHANNEL_MAP_LFE;
}

FacetSoundFile *
facet_sound_file_open (const FacetSoundSource *source, GError **error)
{
  g_autoptr (FacetSoundFile) file = g_new0 (FacetSoundFile, 1);

  file->source = source;
  file->snd = sf_open_virtual (&callbacks, SFM_READ, &file->info, file);
  if (file->snd == NULL) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: not a sound file that can be read: %s", source->name,
                 sf_strerror (NULL));
    return NULL;
  }
  if (!check_info (file, error))
    return NULL;
  read_channel_map (file);
  return g_steal_pointer (&file);
}

void
facet_sound_file_close (FacetSoundFile *file)
{
  if (file == NULL)
    return;
  if (file->snd != NULL)
    sf_close (file->snd);
  g_free (file);
}

int
facet_sound_file_rate (const FacetSoundFile *file)
{
  return file->info.samplerate;
}

int
facet_sound_file_channels (const FacetSoundFile *file)
{
  return file->info.channels;
}

gboolean
facet_sound_file_is_lfe (const FacetSoundFile *file, int channel)
{
  return file->lfe[channel];
}

/* ---- reading ---- */

gboolean
facet_sound_sample_is_sane (float sample)
{
  return fabsf (sample) <= MAX_SAMPLE;
}

static gboolean
check_samples (FacetSoundFile *file, const float *samples, gsize frames, GError **error)
{
  gsize n = frames * (gsize) file->info.channels;

  for (gsize i = 0; i < n; i++) {
    if (!facet_sound_sample_is_sane (samples[i])) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: frame %" G_GINT64_FORMAT ", channel %d: sample = %g",
                   file->source->name, file->position + (gint64) (i / (gsize) file->info.channels),
                   (int) (i % (gsize) file->info.channels), (double) samples[i]);
      return FALSE;
    }
  }
  return TRUE;
}

gssize
facet_sound_file_read (FacetSoundFile *file, float *samples, gsize frames, GError **error)
{
  sf_count_t n = sf_readf_float (file->snd, samples, (sf_count_t) frames);

  if (n < 0 || (n == 0 && frames > 0 && sf_error (file->snd) != SF_ERR_NO_ERROR)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: frame %" G_GINT64_FORMAT ": %s", file->source->name,
                 file->position, sf_strerror (file->snd));
    return -1;
  }
  /* The length of MPEG audio without an index is an estimate, no promise. */
  if (n == 0 && frames > 0 && file->position < file->info.frames
      && (file->info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_IO,
                 "%s: the header announces %" G_GINT64_FORMAT " frames, the data end after %" G_GINT64_FORMAT,
                 file->source->name, (gint64) file->info.frames, file->position);
    return -1;
  }
  if (!check_samples (file, samples, (gsize) n, error))
    return -1;
  file->position += n;
  return (gssize) n;
}

gboolean
facet_sound_file_seek (FacetSoundFile *file, gint64 frame, GError **error)
{
  if (sf_seek (file->snd, frame, SEEK_SET) != frame) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: cannot go to frame %" G_GINT64_FORMAT ": %s",
                 file->source->name, frame, sf_strerror (file->snd));
    return FALSE;
  }
  file->position = frame;
  return TRUE;
}
