/* base/digest.h over OpenSSL. */
#ifndef IO_DIGEST_H
#define IO_DIGEST_H

#include "base/digest.h"

const struct digest_driver *digest_openssl(void);

#endif
