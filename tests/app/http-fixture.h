/* http-fixture.h - a server on this machine that misbehaves on request */
#pragma once

#include <gio/gio.h>

/* Behaviour of one answer; the server takes them in order, the last for ever. */
typedef struct {
  const char *status;        /* NULL: 200, or 206 to a range */
  gsize       cut_after;     /* bytes of the body, then the connection is cut; 0: all */
  gint64      claim;         /* added to the Content-Length */
  gboolean    ignore_range;
  gboolean    no_length;     /* the end of the connection ends the body */
  gboolean    wrong_range;   /* answers 206 with another range than asked */
  const char *etag;          /* NULL: "\"one\"" */
  const char *location;
  char        fill;          /* 0: 'a' plus offset % 26; else this letter instead of 'a' */
} HttpAnswer;

typedef struct {
  GSocketService   *service;
  GMutex            lock;
  gint              active;     /* answers under way */
  const HttpAnswer *answers;
  guint             n_answers;
  guint             requests;   /* so far */
  gsize             size;       /* of the file */
  const char       *bytes;      /* of the file; NULL: a pattern */
  gint64            ranges[64]; /* first byte asked for, -1: whole */
  char             *if_range;   /* of the last request */
  char             *address;
} HttpFixture;

void  http_fixture_start (HttpFixture *self, gsize size, const HttpAnswer *answers, guint n_answers);
void  http_fixture_stop  (HttpFixture *self);

/* The byte of the file at that place. */
char  http_fixture_byte  (char fill, gsize offset);
