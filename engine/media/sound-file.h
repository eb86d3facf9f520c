/* sound-file.h - decoding sound files of every kind libsndfile knows
 *
 * Reads through callbacks over a file descriptor or bytes in memory, so that
 * several readers share one source and a file that is renamed or replaced
 * meanwhile does not change under them. Files are hostile: channel count, rate
 * and length are checked, a header that promises more than the data hold is an
 * error, and so is a sample that is not a number.
 *
 * Thread-safety: a FacetSoundSource may be shared; a FacetSoundFile belongs to
 * one thread at a time.
 */
#pragma once

#include "facet.h"

#define FACET_SOUND_MAX_CHANNELS 32
#define FACET_SOUND_MIN_RATE 1000
#define FACET_SOUND_MAX_RATE 768000

/* Where the bytes are: exactly one of the two. */
typedef struct {
  int     fd;    /* regular file, read with pread(); -1: none */
  GBytes *bytes;
  char   *name;  /* for messages */
  gint64  size;  /* in bytes */
} FacetSoundSource;

/* An unreadable, special or empty file is an error that names it. */
gboolean facet_sound_source_open_path  (FacetSoundSource *source, const char *path, GError **error);
gboolean facet_sound_source_open_bytes (FacetSoundSource *source, GBytes *bytes, const char *name, GError **error);
void     facet_sound_source_clear      (FacetSoundSource *source);
/* Bytes read at @offset, 0 at the end or on a read error. */
gsize    facet_sound_source_read       (const FacetSoundSource *source, gint64 offset, void *data, gsize size);

typedef struct FacetSoundFile FacetSoundFile;

/* @source must outlive the file. */
FacetSoundFile *facet_sound_file_open     (const FacetSoundSource *source, GError **error);
void            facet_sound_file_close    (FacetSoundFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetSoundFile, facet_sound_file_close)

int             facet_sound_file_rate     (const FacetSoundFile *file);
int             facet_sound_file_channels (const FacetSoundFile *file);
/* Whether @channel carries low-frequency effects only, by the file's own
 * channel map. */
gboolean        facet_sound_file_is_lfe   (const FacetSoundFile *file, int channel);

/* Reads up to @frames frames of interleaved floats [frames, channels]; full
 * scale is 1, float files may exceed it. Returns frames, 0 at the end, -1 on
 * error (broken data, fewer frames than the header says, NaN). */
gssize          facet_sound_file_read     (FacetSoundFile *file, float *samples, gsize frames, GError **error);

/* FALSE for NaN, infinity and what lies 96 dB over full scale: noise or an
 * attack, and too near to overflow for what follows. */
gboolean        facet_sound_sample_is_sane (float sample);

/* Goes to frame @frame from the start. Formats that cannot jump are an error. */
gboolean        facet_sound_file_seek     (FacetSoundFile *file, gint64 frame, GError **error);
